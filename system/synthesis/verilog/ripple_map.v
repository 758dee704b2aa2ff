// Yosys' adders as ripple chains of its full adders: the smallest form, not the fastest.

(* techmap_celltype = "$lcu" *)
module ripple (P, G, CI, CO);
  parameter WIDTH = 1;
  input [WIDTH - 1:0] P, G;
  input CI;
  output [WIDTH - 1:0] CO;
  wire [WIDTH:0] carry = {CO, CI};
  assign CO = G | (P & carry[WIDTH - 1:0]);
endmodule
