"""The part of the self-contained ngspice subcircuit that counts renewals and draws thresholds.

A renewal is counted with two capacitors, like a flip-flop of two latches: while exposure accrues
the first follows the second plus one; while it is cleared the second follows the first. Each
stands still otherwise, so a count moves once between accruing and clearing, however the simulator
steps and however often; both are rounded where they are read. The threshold is a function of the
count alone (devices/generator.py).
"""

from __future__ import annotations

from devices.cbram import CBRAM, RENEWAL_VOLTAGE
from devices.generator import CHAINS, WORD, Text, floor_text, key_schedule, mixed
from devices.instance import CAPACITANCE, LATCH_TIME
from devices.law import SwitchingLaw
from devices.thresholds import normal_text, score_threshold_text, threshold_text


def generator_parameters(device: CBRAM) -> dict[str, float]:
    """Parameters of the self-contained form alone: shapes and C2C spreads in use."""
    parameters = {}
    for suffix, law in _directions(device).items():
        closed = law.family.threshold_expression() is not None and not law.spread.memory.value
        if law.shape is not None and closed:
            parameters[f"shape_{suffix}"] = law.shape_value
        if law.spread.sigma_ln_tau_c2c.value:
            parameters[f"c2c_{suffix}"] = law.spread.sigma_ln_tau_c2c.value
    return parameters


def generator_lines(device: CBRAM) -> str:
    """Elements that hold the counts and put the thresholds on ``yset`` and ``yreset``."""
    laws = _directions(device)
    lines = []
    for suffix in laws:
        lines += _counter(suffix)
    if device.reset is None:
        counter = "2*nint(v(kset))"
        lines.append("byreset yreset 0 v = 1")
    else:
        # One hash serves both: a threshold is needed in its direction's starting state only.
        counter = "((v(was) < 0.5) ? 2*nint(v(kset)) : 2*nint(v(kreset)) + 1)"
    spread = any(law.spread.sigma_ln_tau_c2c.value for law in laws.values())
    for chain in CHAINS if spread else ("threshold",):
        lines += _hash(chain, counter)
    for suffix, law in laws.items():
        lines += _threshold(law, suffix)
    return "\n".join(lines) + "\n"


def _directions(device: CBRAM) -> dict[str, SwitchingLaw]:
    laws = {"set": device.set}
    return laws if device.reset is None else laws | {"reset": device.reset}


def _phases(suffix: str) -> tuple[str, str]:
    """Conditions under which a direction's exposure accrues, and is cleared."""
    if suffix == "set":
        start, other, own, opposite = "<", ">", "v(te,be)", "v(be,te)"
    else:
        start, other, own, opposite = ">", "<", "v(be,te)", "v(te,be)"
    accrues = f"((v(was) {start} 0.5) && ({own} > {RENEWAL_VOLTAGE:g}))"
    clears = f"((v(was) {other} 0.5) || ({opposite} > {RENEWAL_VOLTAGE:g}))"
    return accrues, clears


def _latch(node: str, condition: str, target: str) -> list[str]:
    """A node that follows ``target`` under the condition and holds its value otherwise."""
    approach = f"{CAPACITANCE / LATCH_TIME:g}*({target} - v({node}))"
    return [
        f"b{node} 0 {node} i = {condition} ? {approach} : 0",
        f"c{node} {node} 0 {CAPACITANCE:g} ic=0",
        f"r{node} {node} 0 1e15",
    ]


def _counter(suffix: str) -> list[str]:
    """``kSUFFIX`` counts the renewals; ``mSUFFIX`` is its first latch."""
    accrues, clears = _phases(suffix)
    return [
        *_latch(f"m{suffix}", accrues, f"nint(v(k{suffix})) + 1"),
        *_latch(f"k{suffix}", clears, f"nint(v(m{suffix}))"),
    ]


def _word(node: str) -> Text:
    return Text(f"nint(v({node})*{WORD:.0f})")


def _hash(chain: str, counter: str) -> list[str]:
    """Nodes ``threshold0`` to ``threshold3`` (``cycle0`` ...): the words of a renewal, over 2^25.

    The keys depend on the seed alone, so they are parameters; sympy or any rewriting would do
    harm here, since only products below 2^53 are exact.
    """
    lines: list[str] = []

    def held(key: Text) -> Text:
        name = f"{chain}_key{len(lines)}"
        lines.append(f".param {name}={{{key}}}")
        return Text(name)

    x = Text(counter)
    for index, key in enumerate(key_schedule(Text("seed"), chain, floor_text, held)):
        # ngspice passes parameters on as decimal text, which can cost the last bit.
        rounded = Text(f"nint({key})")
        value = mixed(x, rounded, floor_text) / WORD
        lines.append(f"b{chain}{index} {chain}{index} 0 v = {value}")
        x = _word(f"{chain}{index}")
    return lines


def _threshold(law: SwitchingLaw, suffix: str) -> list[str]:
    """The node ``ySUFFIX``, valid in the direction's starting state."""
    last, before = _word("threshold3"), _word("threshold2")
    lines: list[str] = []
    rho = law.spread.memory.value
    if rho:
        accrues, clears = _phases(suffix)
        fresh = f"{(1 - rho * rho) ** 0.5:.17g}*{normal_text(last, before)}"
        score = f"z{suffix}"
        lines.append(
            f"b{score} {score} 0 v = (nint(v(k{suffix})) < 0.5) ? {normal_text(last, before)}"
            f" : {rho:.17g}*v(p{suffix}) + {fresh}"
        )
        # The score of the last renewal, kept by two latches as the count is.
        lines += _latch(f"q{suffix}", accrues, f"v({score})")
        lines += _latch(f"p{suffix}", clears, f"v(q{suffix})")
        text = score_threshold_text(law, f"v({score})")
    else:
        text = threshold_text(law, suffix, last, before)
    if law.spread.sigma_ln_tau_c2c.value:
        spread = normal_text(_word("cycle3"), _word("cycle2"))
        text = f"exp(c2c_{suffix}*{spread})*{text}"
    lines.append(f"by{suffix} y{suffix} 0 v = {text}")
    return lines
