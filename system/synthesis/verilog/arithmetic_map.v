// The library's full adder for the full adders that Yosys extracts.

(* techmap_celltype = "$fa" *)
module full_adders (A, B, C, X, Y);
  parameter WIDTH = 1;
  input [WIDTH - 1:0] A, B, C;
  output [WIDTH - 1:0] X, Y;
  genvar i;
  generate
    for (i = 0; i < WIDTH; i = i + 1) begin : bits
      full_adder add (.a(A[i]), .b(B[i]), .ci(C[i]), .s(Y[i]), .co(X[i]));
    end
  endgenerate
endmodule
