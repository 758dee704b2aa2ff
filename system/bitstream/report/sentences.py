"""What the numbers say, in plain sentences."""

from __future__ import annotations

from system.bitstream.randomness import ALPHA, Row, false_alarm
from system.bitstream.report.analysis import Analysis

_OFF = 0.01
"""P below which a P(1) is called wrong."""
SMALLEST_P = 1e-16
"""Smaller ones are told as such."""


def sentences(found: Analysis) -> tuple[str, ...]:
    """About P(1), independence and fair bits, in this order."""
    return (*_share(found), *_independence(found), *_fair(found))


def _share(found: Analysis) -> tuple[str, ...]:
    share, origin = found.share, found.origin
    low, high = share.interval95
    measured = f"P(1) = {share.value:.6g} (95 % {low:.6g} to {high:.6g})"
    if share.p_asked >= _OFF:
        first = f"{measured} agrees with the {origin.asked:.6g} asked for."
    else:
        first = f"{measured} is not the {origin.asked:.6g} asked for ({p_text(share.p_asked)})."
    if share.p_expected is None or origin.expected is None:
        return (first,)
    agrees = "agrees with" if share.p_expected >= _OFF else "does not agree with"
    return (
        first,
        f"It {agrees} what the source makes of that, {origin.expected:.6g} ({origin.why}).",
    )


def _independence(found: Analysis) -> tuple[str, ...]:
    result, origin = found.independence, found.origin
    if result.p_all is None:
        return ("No test of independence could be made.",)
    lag1 = (
        f"lag-1 correlation {found.lags.corrected[0]:+.5f} (95 % of independent bits: within "
        f"+-{1.96 * found.lags.stderr[0]:.5f})"
    )
    whole = f"all tests and sequences together {p_text(result.p_all)}"
    if result.rejected:
        told = (f"The bits are NOT independent ({whole}, most by {result.strongest}): {lag1}.",)
    else:
        told = (f"The bits look independent ({whole}): {lag1}.",)
    if origin.kind == "device" and origin.expected_lag1 is None:
        return (*told, "The device has memory, which correlates its bits.")
    if origin.kind == "device" and origin.expected_lag1:
        return (
            *told,
            "The device's memory or failing RESETs, with its read errors, make a lag-1 of "
            f"{origin.expected_lag1:+.5f} (derived).",
        )
    return told


def _fair(found: Analysis) -> tuple[str, ...]:
    if found.fair_reason:
        return (
            f"SP 800-22: not made, {found.fair_reason}; --debias tests what von Neumann's "
            "extractor leaves.",
        )
    made = [row for row in found.fair if row.ok is not None]
    failed = [row.label for row in made if not row.ok]
    if not made:
        return ("SP 800-22: no test could be made; see the reasons.",)
    chance = min(1.0, sum(false_alarm(row.made) for row in made))
    first = (
        f"SP 800-22: {len(made) - len(failed)} of {len(made)} P-values pass"
        + (f"; not {', '.join(failed)}." if failed else ".")
        + f" Of fair independent bits up to {100 * chance:.2g} % of reports show a failure."
    )
    if found.extracted is not None:
        return (
            first,
            f"They saw the {found.extracted:,} bits that von Neumann's extractor left: it removes "
            "bias and hides memory, so that they say nothing about independence.",
        )
    if failed and found.share.p_asked < ALPHA and not found.independence.rejected:
        return (
            first,
            "These tests are for P(1) = 1/2, which the bits do not have: judge their independence "
            "by the tests above, or use --debias.",
        )
    return (first,)


def p_text(p: float) -> str:
    """A P-value in words, e.g. "P = 0.12", "P < 1e-16"."""
    if p < SMALLEST_P:
        return f"P < {SMALLEST_P:g}"
    return f"P = {p:.2g}"


def verdict(row: Row) -> str:
    """passes, FAILS or -"""
    return {True: "passes", False: "FAILS", None: "-"}[row.ok]
