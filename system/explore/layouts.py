"""The architectures of an exploration: files or presets, each with every parallelism asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from formats.errors import InputError
from system.architecture import Architecture, Dac, architecture
from system.architecture.base import PARALLELISM
from system.sweep.values import value_of

OWN = "own"
"""The parallelism that stands in the architecture's file."""


@dataclass(frozen=True)
class Layout:
    """An architecture under the name that tells it from the others."""

    name: str
    architecture: Architecture


@dataclass(frozen=True)
class DacLevel:
    """Area (m2) and energy of a conversion (J) of a DAC for each of its 2^bits levels."""

    area: float
    energy: float

    def dac(self, bits: int) -> Dac:
        """A DAC of so many bits, in proportion to its levels."""
        levels = 2**bits
        return Dac(
            self.area * levels,
            self.energy * levels,
            f"assumed: given by the user, a level's times {levels} levels of {bits} bits",
        )


def layouts(architectures: str, parallelism: str) -> tuple[Layout, ...]:
    """Every architecture with every parallelism, each once; raises :class:`InputError`."""
    names, degrees = listed("--architectures", architectures), listed("--parallelism", parallelism)
    found: dict[tuple[str, str | int], Layout] = {}
    for name in names:
        base = architecture(name)
        for text in degrees:
            laid = replace(base, parallelism=_degree(text, base))
            if laid.columns is not None and not laid.shared:
                raise InputError(
                    "--parallelism",
                    f"{text} does not go with the memory columns of {name}, which all layers "
                    f"share; expected {OWN}, layer, row or a number of MACs",
                )
            label = str(laid.parallelism)
            label = label if len(names) == 1 else f"{base.name}, {label}"
            found.setdefault((name, laid.parallelism), Layout(label, laid))
    return tuple(found.values())


def listed(option: str, text: str) -> list[str]:
    """The words between the commas; raises :class:`InputError` for none, or one given twice."""
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise InputError(option, f"is {text!r}; expected values separated by commas")
    if twice := [word for word in words if words.count(word) > 1]:
        raise InputError(option, f"{twice[0]} is given twice")
    return words


def _degree(text: str, base: Architecture) -> str | int:
    if text == OWN:
        return base.parallelism
    if text in PARALLELISM:
        return text
    try:
        count = int(value_of(text, int))
    except (ValueError, OverflowError):
        count = 0
    if count < 1:
        known = ", ".join((OWN, *PARALLELISM))
        raise InputError("--parallelism", f"{text!r}: expected {known}, or a number of MACs")
    return count


def goes_with(laid: Architecture, training: Any, default_mac: str) -> bool:
    """Whether a training (a TrainOptions) is one that the architecture asks for."""
    return all(
        str((training.mac or default_mac) if key == "mac" else getattr(training, key)) == str(want)
        for key, want in laid.trained.named().items()
    )


def check_used(found: Sequence[Layout], trainings: Sequence[Any], default_mac: str) -> None:
    """Raise :class:`InputError` for an architecture without a training, or one without any."""
    for each in found:
        if not any(goes_with(each.architecture, one, default_mac) for one in trainings):
            asked = ", ".join(f"{k} {v}" for k, v in each.architecture.trained.named().items())
            raise InputError(
                f"architecture {each.architecture.name}",
                f"is one of a training with {asked}, which is not among those to explore",
            )
    for one in trainings:
        if not any(goes_with(each.architecture, one, default_mac) for each in found):
            raise InputError(
                f"training {one.output.name}", "is one that none of the architectures asks for"
            )
