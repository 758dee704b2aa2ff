"""The multiply-accumulate cells of one product bit: multiplied and added, from the logic gates.

- ``sign_magnitude_counter``: XOR of the operands' signs, AND of the magnitude bits, XOR of both,
  one full adder of the parallel counter. With t = (a AND b) XOR s the signed sum is the count of
  t minus the number of negative products, so one counter serves both signs.
- ``bipolar_mux``: XNOR of the bipolar bits, one MUX2 of the scaled-adder tree.

An n-input sum takes n such cells (an exact parallel counter needs slightly fewer full adders, a
MUX tree n - 1 multiplexers); ``mux_tree.py`` and ``counter.py`` hold whole sums.
"""

from __future__ import annotations

from circuits.mac.base import Mac

MACS: dict[str, Mac] = {
    mac.name: mac
    for mac in (
        Mac(
            name="sign_magnitude_counter",
            encoding="sign-magnitude",
            adder="exact-counter",
            inputs=("a", "b", "sa", "sb", "x", "ci"),
            outputs=("s", "co"),
            instances=(
                ("xor2", ("sa", "sb", "sgn")),
                ("and2", ("a", "b", "p")),
                ("xor2", ("p", "sgn", "t")),
                ("full_adder", ("t", "x", "ci", "s", "co")),
            ),
            description="AND of magnitudes, XOR of signs, XOR of both, one full adder of the "
            "parallel counter",
            products=("t",),
        ),
        Mac(
            name="bipolar_mux",
            encoding="bipolar",
            adder="mux",
            inputs=("a", "b", "x", "sel"),
            outputs=("y",),
            instances=(("xnor2", ("a", "b", "t")), ("mux2", ("t", "x", "sel", "y"))),
            description="XNOR of bipolar bits, one MUX2 of the scaled-adder tree",
            products=("t",),
        ),
    )
}
