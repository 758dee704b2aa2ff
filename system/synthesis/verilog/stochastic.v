// Stochastic multiply-accumulate units for 8 products; streams come in, counts leave.

// Sign-magnitude: AND of the magnitude bits, inverted where the signs differ, counted. A clock adds
// the sum of the signed bits and the number of negative products, which is known and taken off once.
module sc_counter8 (
  input clk,
  input run,
  input [7:0] a,
  input [7:0] b,
  input [7:0] sa,
  input [7:0] sb,
  output reg [11:0] count
);
  wire [7:0] t = (a & b) ^ (sa ^ sb);
  wire [3:0] up = t[0] + t[1] + t[2] + t[3] + t[4] + t[5] + t[6] + t[7];
  wire [11:0] total = count + up;
  always @(posedge clk) count <= run ? total : 12'd0;
endmodule

// Unipolar: AND, an exact parallel counter, an accumulator of 12 bits.
module sc_unipolar8 (
  input clk,
  input run,
  input [7:0] a,
  input [7:0] b,
  output reg [11:0] count
);
  wire [7:0] ones = a & b;
  wire [3:0] up = ones[0] + ones[1] + ones[2] + ones[3] + ones[4] + ones[5] + ones[6] + ones[7];
  wire [11:0] total = count + up;
  always @(posedge clk) count <= run ? total : 12'd0;
endmodule

// Bipolar: XNOR, a tree of 2-input multiplexers with a select bit for each level.
module sc_mux8 (
  input [7:0] a,
  input [7:0] b,
  input [2:0] sel,
  output y
);
  wire [7:0] t = ~(a ^ b);
  wire [3:0] first = sel[0] ? {t[7], t[5], t[3], t[1]} : {t[6], t[4], t[2], t[0]};
  wire [1:0] second = sel[1] ? {first[3], first[1]} : {first[2], first[0]};
  assign y = sel[2] ? second[1] : second[0];
endmodule
