"""fit.html: one self-contained page on a fit that can be read in a meeting, on a phone, on paper.

Nothing is fetched from anywhere and nothing runs in it. All text of the user's is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from characterization.fit.account.amounts import amount, interval
from characterization.fit.account.plot import law_panels, single
from characterization.fit.account.section import Section
from characterization.fit.account.tables import (
    assumptions,
    candidate_grid,
    excluded_grid,
    parameter_grid,
    reference_of,
    residual_grid,
    tests_grid,
    threshold_grid,
)
from characterization.fit.account.verdict import common_verdict
from characterization.fit.analysis import FitResult
from characterization.fit.direction import LawFit
from characterization.fit.inference.candidate import MEASUREMENT
from characterization.page.frame import Card, Drawing, Grid, provenance, render
from characterization.page.inline_svg import inline
from devices.cbram import CBRAM
from devices.law import SwitchingLaw
from devices.parameter import Parameter

_KINDS = ("measured", "fitted", "derived", "taken", "assumed")


@dataclass(frozen=True)
class Direction:
    """What the page says of SET or of RESET."""

    name: str
    headline: str
    cards: tuple[Card, ...]
    drawings: tuple[Drawing, ...]
    verdict: tuple[str, ...]
    candidates: Grid
    tests: Grid
    residuals: Grid
    thresholds: Grid | None
    sources: tuple[str, ...]


def page(
    result: FitResult,
    source: str,
    device: CBRAM,
    sections: Sequence[Section] = (),
    record: Mapping[str, Any] | None = None,
) -> str:
    """The HTML text.

    ``source`` names the data file, ``device`` holds the fitted laws, ``sections`` are appended
    after them, ``record`` is the provenance of the run. Raises ValueError for a section whose
    picture is no SVG.
    """
    own, common = split_verdict(result)
    laws = [getattr(device, fit.direction) for fit in result.laws]
    return render(
        "characterization.fit.account",
        name=device.name,
        source=source,
        kind=result.kind,
        counts={key: value for key, value in result.counts.items() if value},
        directions=[
            _direction(fit, law, own[fit.direction])
            for fit, law in zip(result.laws, laws, strict=True)
        ],
        common=common,
        parameters=parameter_grid(result, device),
        excluded=excluded_grid(result),
        assumed=assumptions(result, device),
        sections=[(one, _drawing(one, index)) for index, one in enumerate(sections)],
        kinds=_KINDS,
        provenance=None if record is None else provenance(record),
    )


def split_verdict(result: FitResult) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """The sentences of the verdict by direction (without its prefix), and the common ones.

    Where one direction stands alone, its sentences are those before the first common one.
    """
    common = set(common_verdict(result.circumstances))
    texts = result.verdict
    first = next((i for i, text in enumerate(texts) if text in common), len(texts))
    own: dict[str, list[str]] = {fit.direction: [] for fit in result.laws}
    rest = []
    for i, text in enumerate(texts):
        for direction, mine in own.items():
            prefix = f"{direction.upper()}: "
            if text.startswith(prefix) or (len(own) == 1 and i < first):
                mine.append(text.removeprefix(prefix))
                break
        else:
            rest.append(text)
    return {direction: tuple(mine) for direction, mine in own.items()}, tuple(rest)


def headline(fit: LawFit, law: SwitchingLaw, verdict: Sequence[str]) -> str:
    """The law of one direction in a sentence."""
    parts = []
    for name, p in _parameters(law):
        where = reference_of(law) if name == "tau_ref" else ""
        ends = interval(p.ci95, p.value, p.unit, 3)
        bracketed = ", only bracketed" if p.ci95 is not None and None in p.ci95 else ""
        told = f"95 % {ends}{bracketed}" if ends else p.source
        shown = "tau" if name == "tau_ref" else name
        parts.append(f"{shown} = {amount(p.value, p.unit)}{where} ({told})")
    first = verdict[0].split(" (", 1)[0] if verdict else ""
    text = (
        f"{fit.direction.upper()} by the {law.family.name} law with tau ~ {law.acceleration.name}: "
        f"{', '.join(parts)}{'; ' if first else ''}{first}."
    )
    return text.replace(" = ", "\u00a0=\u00a0").replace(" % ", "\u00a0% ")


def _parameters(law: SwitchingLaw) -> list[tuple[str, Parameter]]:
    """The law's own, as device.json has them."""
    named = (
        ("tau_ref", law.tau_ref),
        ("V0", law.v0),
        ("Ea", law.activation),
        ("shape", law.shape),
    )
    return [(name, p) for name, p in named if p is not None]


def _direction(fit: LawFit, law: SwitchingLaw, verdict: tuple[str, ...]) -> Direction:
    cards = []
    noise = [(name, fit.chosen.parameter(name, "")) for name in fit.chosen.names]
    noise = [(name, p) for name, p in noise if name in MEASUREMENT]
    for name, p in [*_parameters(law), *noise]:
        where = reference_of(law) if name == "tau_ref" else ""
        ends = interval(p.ci95, p.value, p.unit, 3)
        cards.append(
            Card(f"{name}{where}", amount(p.value, p.unit), f"95 %: {ends}" if ends else p.source)
        )
    counts = fit.counts
    cards.append(Card("outcomes", f"{counts['outcomes']:,}", f"{counts['switched']:,} switched"))
    drawings = tuple(
        Drawing(
            inline(single(panel), f"{fit.direction}-{panel.name}", panel.title),
            panel.title,
            panel.caption,
        )
        for panel in law_panels(fit)
    )
    return Direction(
        fit.direction.upper(),
        headline(fit, law, verdict),
        tuple(cards),
        drawings,
        verdict,
        candidate_grid(fit),
        tests_grid(fit),
        residual_grid(fit),
        threshold_grid(fit),
        (
            f"wait-time family {law.family.name}: {law.family.source}",
            f"voltage acceleration {law.acceleration.name}: {law.acceleration.source}",
        ),
    )


def _drawing(section: Section, index: int) -> Drawing | None:
    if section.svg is None:
        return None
    svg = inline(section.svg, f"section{index}", section.title)
    return Drawing(svg, "", section.caption)
