"""What every digital multiply-accumulate cell states beside its gates."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.logic.cell import Instance, LogicCell

ENCODINGS = ("unipolar", "bipolar", "sign-magnitude")


@dataclass(frozen=True, kw_only=True)
class Mac(LogicCell):
    """A MAC cell.

    ``encoding`` is that of its operands; ``adder`` names how products are summed ("mux",
    "exact-counter", "approximate-counter"); ``fan_in`` counts its products; ``width`` the bits of
    its accumulator, 0 where it has none; ``products`` the nodes of its products. ``signalling``
    says how its streams come: "held" from bit to bit, or "return-to-zero" (all inputs but the
    signs are 0 between bits, so each bit costs two transitions).
    """

    encoding: str
    adder: str
    fan_in: int = 1
    width: int = 0
    products: tuple[str, ...] = ()
    signalling: str = "held"


def product(encoding: str, index: int) -> tuple[list[Instance], tuple[str, ...], str]:
    """Gates that multiply one pair of bits, their input pins and the node of the product.

    Unipolar: AND. Bipolar: XNOR. Sign-magnitude: (a AND b) XOR (sa XOR sb), so that the signed sum
    of n products is the count of ones less the number of negative products.
    """
    a, b, t = f"a{index}", f"b{index}", f"t{index}"
    if encoding == "unipolar":
        return [("and2", (a, b, t))], (a, b), t
    if encoding == "bipolar":
        return [("xnor2", (a, b, t))], (a, b), t
    if encoding == "sign-magnitude":
        sa, sb, sign, magnitude = (f"{name}{index}" for name in ("sa", "sb", "sgn", "p"))
        gates: list[Instance] = [
            ("xor2", (sa, sb, sign)),
            ("and2", (a, b, magnitude)),
            ("xor2", (magnitude, sign, t)),
        ]
        return gates, (a, b, sa, sb), t
    raise ValueError(f"encoding {encoding!r}: expected one of {', '.join(ENCODINGS)}")


def power_of_two(fan_in: int) -> int:
    """log2 of a fan-in; raises ValueError where it is no power of two of 2 or more."""
    levels = fan_in.bit_length() - 1
    if fan_in < 2 or fan_in != 1 << levels:
        raise ValueError(f"fan-in {fan_in}: expected 2, 4, 8, ... (a power of two)")
    return levels
