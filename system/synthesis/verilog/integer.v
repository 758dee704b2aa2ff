// Integer multiply-accumulate: acc <= run ? acc + a * b : 0, two's complement, wrapping.
// The product by Baugh and Wooley (IEEE Trans. Comput. C-22, 1045 (1973), recalled): partial products
// with one sign bit inverted and two constants, so that every row is positive.

module int8_mac #(parameter WIDTH = 24) (
  input clk,
  input run,
  input [7:0] a,
  input [7:0] b,
  output reg [WIDTH - 1:0] acc
);
  // Row i: a times bit i of b, the sign's place inverted; the last row inverted but for its sign.
  wire [15:0] r0 = {~(a[7] & b[0]), a[6:0] & {7{b[0]}}};
  wire [15:0] r1 = {~(a[7] & b[1]), a[6:0] & {7{b[1]}}, 1'd0};
  wire [15:0] r2 = {~(a[7] & b[2]), a[6:0] & {7{b[2]}}, 2'd0};
  wire [15:0] r3 = {~(a[7] & b[3]), a[6:0] & {7{b[3]}}, 3'd0};
  wire [15:0] r4 = {~(a[7] & b[4]), a[6:0] & {7{b[4]}}, 4'd0};
  wire [15:0] r5 = {~(a[7] & b[5]), a[6:0] & {7{b[5]}}, 5'd0};
  wire [15:0] r6 = {~(a[7] & b[6]), a[6:0] & {7{b[6]}}, 6'd0};
  wire [15:0] r7 = {a[7] & b[7], ~(a[6:0] & {7{b[7]}}), 7'd0};
  wire [15:0] product = r0 + r1 + r2 + r3 + r4 + r5 + r6 + r7 + 16'h8100;
  wire [WIDTH - 1:0] total = acc + {{(WIDTH - 16){product[15]}}, product};
  always @(posedge clk) acc <= run ? total : {WIDTH{1'b0}};
endmodule

module int8_mac24(input clk, input run, input [7:0] a, input [7:0] b, output [23:0] acc);
  int8_mac #(24) mac (.clk(clk), .run(run), .a(a), .b(b), .acc(acc));
endmodule

module int8_mac32(input clk, input run, input [7:0] a, input [7:0] b, output [31:0] acc);
  int8_mac #(32) mac (.clk(clk), .run(run), .a(a), .b(b), .acc(acc));
endmodule
