"""Which mode is taken, and what is said where moments do not hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import xarray as xr

from formats.errors import InputError
from system.arithmetic import BitExact, Generators, SignMagnitudeCounter, arithmetic_of, mode_of
from system.arithmetic.choice import MOMENTS
from system.arithmetic.operands import ReadOut
from system.bitstream import BATCH, DEFAULT_RULES, StreamRules

WHERE = Path("cells.nc")


def mac(encoding: str, adder: str) -> xr.Dataset:
    return xr.Dataset(attrs={"encoding": encoding, "adder": adder, "fan_in": 16})


def failing_reset(generators: Generators) -> Generators:
    return replace(generators, lag1=0.2, read_out=ReadOut(0.8, 0.0, 0.0))


def test_moments_are_taken_where_they_hold(generators: Generators) -> None:
    for (encoding, adder), kind in MOMENTS.items():
        for rules in (DEFAULT_RULES, StreamRules(BATCH), StreamRules(3, "turns", 4)):
            made = arithmetic_of(WHERE, "m", mac(encoding, adder), generators, 64, rules)
            assert type(made) is kind and made.rules == rules
            assert mode_of(generators, rules, encoding, adder) == ("moments", None)


def test_dependent_bits_and_counters_without_moments_are_made_exactly(
    generators: Generators,
) -> None:
    law = generators.law
    memory = replace(law.spread.memory, value=0.5)
    remembering = replace(generators, law=replace(law, spread=replace(law.spread, memory=memory)))
    cases = [
        (failing_reset(generators), "exact-counter", "lag-1 correlation up to 0.2"),
        (remembering, "exact-counter", "device memory rho = 0.5"),
        (generators, "approximate-counter", "no moments of sign-magnitude streams in approximate"),
    ]
    for made_of, adder, reason in cases:
        mode, said = mode_of(made_of, DEFAULT_RULES, "sign-magnitude", adder)
        assert mode == "exact" and said is not None and reason in said
        made = arithmetic_of(WHERE, "m", mac("sign-magnitude", adder), made_of, 64)
        assert isinstance(made, BitExact) and made.adder == adder
        assert made.layers.source.independent is (made_of is generators)
    mode, said = mode_of(generators, StreamRules(1, "common", 2), "bipolar", "mux")
    assert mode == "exact" and said is not None and "common:2" in said


def test_the_exact_mode_can_be_asked_for(generators: Generators) -> None:
    rules = StreamRules(BATCH)
    wanted = mac("sign-magnitude", "exact-counter")
    made = arithmetic_of(WHERE, "m", wanted, generators, 64, rules, "exact")
    assert isinstance(made, BitExact)
    assert (made.layers.length, made.layers.rules, made.adder) == (64, rules, "exact-counter")
    again = BitExact(SignMagnitudeCounter(generators, 64, rules))
    assert again.layers.rules == rules


def test_what_devices_cannot_do_is_refused_by_the_options_name(generators: Generators) -> None:
    counter = mac("sign-magnitude", "exact-counter")
    for made_of, rules, problem in (
        (generators, StreamRules(1, "common", 2), "common:2 lets parameters compare"),
        (failing_reset(generators), StreamRules(1, "turns", 2), "turns:2 with devices whose bit"),
    ):
        with pytest.raises(InputError, match=f"--sng-sharing: {problem}"):
            arithmetic_of(WHERE, "m", counter, made_of, 64, rules)
    with pytest.raises(InputError, match="encoding 'unipolar' and adder 'mux'; expected sign-mag"):
        arithmetic_of(WHERE, "m", mac("unipolar", "mux"), generators, 64)
