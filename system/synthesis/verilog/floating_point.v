// Floating-point multiply-accumulate: acc <= run ? acc + round(a * b) : 0, rounded twice.
// EXP exponent and MAN stored mantissa bits: (8, 23) is IEEE 754 binary32, (8, 7) bfloat16.
// Round to nearest, ties to even. Denormal operands count as zero of their sign, results below the
// smallest normal number (after rounding to MAN bits at any exponent) become zero of their sign.
// Infinities are kept; every NaN is the quiet one without a sign.

module fp_multiply #(parameter EXP = 8, parameter MAN = 23) (
  input [EXP + MAN:0] a,
  input [EXP + MAN:0] b,
  output [EXP + MAN:0] y
);
  localparam BIAS = (1 << (EXP - 1)) - 1;
  localparam TOP = (1 << EXP) - 1;

  wire sign = a[EXP + MAN] ^ b[EXP + MAN];
  wire [EXP - 1:0] ea = a[EXP + MAN - 1:MAN];
  wire [EXP - 1:0] eb = b[EXP + MAN - 1:MAN];
  wire zero = ea == 0 || eb == 0;
  wire nan_a = &ea && a[MAN - 1:0] != 0;
  wire nan_b = &eb && b[MAN - 1:0] != 0;
  wire infinite = &ea || &eb;
  wire invalid = nan_a || nan_b || (infinite && zero);

  wire [2 * MAN + 1:0] product = {1'b1, a[MAN - 1:0]} * {1'b1, b[MAN - 1:0]};
  wire two = product[2 * MAN + 1];
  wire [2 * MAN:0] fraction = two ? product[2 * MAN:0] : {product[2 * MAN - 1:0], 1'b0};
  wire half = fraction[MAN];
  wire rest = |fraction[MAN - 1:0];
  wire up = half && (rest || fraction[MAN + 1]);
  wire [MAN:0] rounded = {1'b0, fraction[2 * MAN:MAN + 1]} + up;

  // The exponent before the bias is taken off: 2 bits more, never negative.
  wire [EXP + 1:0] sum = ea + eb + two + rounded[MAN];
  wire small = sum <= BIAS;
  wire large = sum >= BIAS + TOP;
  wire [EXP - 1:0] exponent = sum - BIAS;

  assign y =
    invalid ? {1'b0, {EXP{1'b1}}, 1'b1, {(MAN - 1){1'b0}}} :
    infinite ? {sign, {EXP{1'b1}}, {MAN{1'b0}}} :
    zero || small ? {sign, {(EXP + MAN){1'b0}}} :
    large ? {sign, {EXP{1'b1}}, {MAN{1'b0}}} :
    {sign, exponent, rounded[MAN - 1:0]};
endmodule

module fp_add #(parameter EXP = 8, parameter MAN = 23) (
  input [EXP + MAN:0] a,
  input [EXP + MAN:0] b,
  output [EXP + MAN:0] y
);
  localparam TOP = (1 << EXP) - 1;
  localparam W = MAN + 4;  // hidden bit, mantissa, guard, round, sticky

  wire nan_a = &a[EXP + MAN - 1:MAN] && a[MAN - 1:0] != 0;
  wire nan_b = &b[EXP + MAN - 1:MAN] && b[MAN - 1:0] != 0;
  wire infinite_a = &a[EXP + MAN - 1:MAN];
  wire infinite_b = &b[EXP + MAN - 1:MAN];
  wire opposite = a[EXP + MAN] ^ b[EXP + MAN];
  wire invalid = nan_a || nan_b || (infinite_a && infinite_b && opposite);

  // The larger magnitude first.
  wire swap = b[EXP + MAN - 1:0] > a[EXP + MAN - 1:0];
  wire [EXP + MAN:0] large = swap ? b : a;
  wire [EXP + MAN:0] small = swap ? a : b;
  wire [EXP - 1:0] el = large[EXP + MAN - 1:MAN];
  wire [EXP - 1:0] es = small[EXP + MAN - 1:MAN];
  wire some_l = el != 0;
  wire some_s = es != 0;
  wire [W - 1:0] ml = some_l ? {1'b1, large[MAN - 1:0], 3'b000} : {W{1'b0}};
  wire [W - 1:0] ms = some_s ? {1'b1, small[MAN - 1:0], 3'b000} : {W{1'b0}};

  // Align; what is shifted out is kept as one sticky bit.
  wire [EXP - 1:0] distance = el - es;
  reg [W - 1:0] aligned;
  reg sticky;
  integer k;
  always @* begin
    aligned = ms;
    sticky = 0;
    for (k = 0; k < EXP; k = k + 1)
      if (distance[k]) begin
        if ((1 << k) >= W) begin
          sticky = sticky | (|aligned);
          aligned = 0;
        end else begin
          sticky = sticky | (|(aligned & ((1 << (1 << k)) - 1)));
          aligned = aligned >> (1 << k);
        end
      end
    aligned[0] = aligned[0] | sticky;
  end

  wire [W:0] total = opposite ? {1'b0, ml} - {1'b0, aligned} : {1'b0, ml} + {1'b0, aligned};
  wire none = total == 0;

  // Normalise: the hidden bit to place W.
  reg [W:0] shifted;
  reg [EXP + 1:0] zeros;
  always @* begin
    shifted = total;
    zeros = 0;
    for (k = 4; k >= 0; k = k - 1)
      if ((1 << k) <= W && (shifted >> (W + 1 - (1 << k))) == 0) begin
        shifted = shifted << (1 << k);
        zeros = zeros + (1 << k);
      end
  end

  wire half = shifted[3];
  wire rest = |shifted[2:0];
  wire up = half && (rest || shifted[4]);
  wire [MAN:0] rounded = {1'b0, shifted[W - 1:4]} + up;
  wire [EXP + 1:0] raised = el + 2'd1 + rounded[MAN];
  wire under = raised <= zeros;
  wire [EXP + 1:0] exponent = raised - zeros;
  wire over = exponent >= TOP;

  assign y =
    invalid ? {1'b0, {EXP{1'b1}}, 1'b1, {(MAN - 1){1'b0}}} :
    infinite_a || infinite_b ? {large[EXP + MAN], {EXP{1'b1}}, {MAN{1'b0}}} :
    none ? {some_l || opposite ? 1'b0 : a[EXP + MAN], {(EXP + MAN){1'b0}}} :
    under ? {large[EXP + MAN], {(EXP + MAN){1'b0}}} :
    over ? {large[EXP + MAN], {EXP{1'b1}}, {MAN{1'b0}}} :
    {large[EXP + MAN], exponent[EXP - 1:0], rounded[MAN - 1:0]};
endmodule

module fp_mac #(parameter EXP = 8, parameter MAN = 23) (
  input clk,
  input run,
  input [EXP + MAN:0] a,
  input [EXP + MAN:0] b,
  output reg [EXP + MAN:0] acc
);
  wire [EXP + MAN:0] product;
  wire [EXP + MAN:0] total;
  fp_multiply #(EXP, MAN) multiply (.a(a), .b(b), .y(product));
  fp_add #(EXP, MAN) add (.a(acc), .b(product), .y(total));
  always @(posedge clk) acc <= run ? total : {(EXP + MAN + 1){1'b0}};
endmodule

module fp32_mac(input clk, input run, input [31:0] a, input [31:0] b, output [31:0] acc);
  fp_mac #(8, 23) mac (.clk(clk), .run(run), .a(a), .b(b), .acc(acc));
endmodule

module bf16_mac(input clk, input run, input [15:0] a, input [15:0] b, output [15:0] acc);
  fp_mac #(8, 7) mac (.clk(clk), .run(run), .a(a), .b(b), .acc(acc));
endmodule
