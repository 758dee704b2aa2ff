"""Architectures: their files, and what each number in them moves."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from formats.cells import Cells
from formats.errors import InputError
from formats.training import Training
from system.architecture import (
    UNROLLED,
    Overhead,
    Trained,
    architecture,
    preset_text,
    presets,
    read_architecture,
)
from system.architecture.file import parse
from system.budget import Budget, BudgetOptions, budget
from tests.system_report import changes
from tests.system_report.changes import of, trained

Pair = tuple[Cells, Training]


@pytest.fixture(scope="module")
def pumped(cells: Cells) -> Cells:
    """Cells whose write path needs a pump of efficiency 1/2."""
    return changes.pumped(cells)


def bill(pair: Pair, **choices: Any) -> Budget:
    """The bill of LeNet-5 on an architecture."""
    return budget(*pair, replace(UNROLLED, **choices), BudgetOptions())


# files


def test_the_candidate_reading_is_the_unrolled_architecture() -> None:
    reading = architecture("unrolled-lenet5")
    assert replace(reading, name=UNROLLED.name) == UNROLLED


@pytest.mark.parametrize("name", presets())
def test_sums_of_lines_are_totals_on_every_preset(pumped: Cells, pair: Pair, name: str) -> None:
    found = budget(pumped, pair[1], architecture(name), BudgetOptions(accept_edited_cells=True))
    assert architecture(name).name == name
    totals = found.totals()
    for total, of_line in {
        "area_mm2": lambda line: 1e6 * line.count * line.unit_area,
        "leakage_uW": lambda line: 1e6 * line.count * line.unit_leakage,
        "energy_per_inference_J": lambda line: line.energy_inference,
        "energy_per_training_step_J": lambda line: line.events_training * line.unit_energy,
    }.items():
        values = [of_line(line) for line in found.lines]
        assert totals[total].value == pytest.approx(math.fsum(values), rel=1e-12)


def test_unknown_architecture_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"row-parallel, unrolled-lenet5, or a file \*\.toml"):
        architecture("crossbar")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "row-parallel"', 'name = "a b"', "at name: 'a b'"),
        ("schema = 1", "schema = 2", "at schema: 1 was expected"),
        ('parallelism = "row"', "parallelism = 0", "at macs.parallelism: 0 is less than the min"),
        ('order = "rows"', 'order = "rows"\nspeed = 3', "'speed' was unexpected"),
        (
            "binary_Hz = 100e6",
            "binary_Hz = inf",
            "clock.binary_Hz: the number is inf; expected a finite",
        ),
        ("energy = 0.3", "energy = nan", r"overhead\.1\.energy: the number is nan"),
        ("energy = 0.3", "energy = -1", "overhead.1.energy: -1 is less than"),
        ("assumed: counters", "we think: counters", "overhead.3.source"),
        ("[macs]", "[macs", "is not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = preset_text("row-parallel")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError, match=words) as caught:
        read_architecture(path)
    assert str(path) in caught.value.where


def test_every_key_of_a_file_arrives() -> None:
    found = parse(
        """
        schema = 1
        name = "mine"
        description = "d"
        write_supply = "charge-pumps"
        trained = {network = "lenet5", stream_length = 256, stream_life = 4}
        macs = {parallelism = 64, order = "outputs"}
        clock = {binary_Hz = 2e8}
        registers = {exponent_bits = 7}
        update = {units = 2}
        dac = {area_um2 = 3, energy_pJ = 0.5, leakage_W = 1e-9, sngs = 8, source = "taken: x"}
        overhead = [{name = "o", on = ["Memory"], area = 1, energy = 2, leakage = 3,
                     source = "assumed: y"}]
        [figures]
        sram_bit_area_um2 = {value = 2, source = "taken: a"}
        sram_bit_energy_fJ = {value = 3, source = "taken: b"}
        sram_bit_leakage_pW = {value = 4, source = "taken: c"}
        adder8_area_um2 = {value = 5, source = "taken: d"}
        adder8_energy_fJ = {value = 6, source = "taken: e"}
        multiplier8_area_um2 = {value = 7, source = "taken: f"}
        multiplier8_energy_fJ = {value = 8, source = "taken: g"}
        """.replace("\n                     source", " source"),
        "text",
    )
    assert found.trained == Trained("lenet5", None, 256, "4", None)
    assert (found.parallelism, found.order, found.binary_clock) == (64, "outputs", 2e8)
    assert (found.exponent_bits, found.update_units, found.write_supply) == (7, 2, "charge-pumps")
    assert found.dac is not None
    assert (found.dac.area, found.dac.energy) == (3e-12, 0.5e-12)
    assert (found.dac.leakage, found.dac.sngs) == (1e-9, 8)
    assert found.overheads == (Overhead("o", ("Memory",), "assumed: y", 1.0, 2.0, 3.0),)
    values = [getattr(found.figures, name).value for name in vars(found.figures)]
    assert values == pytest.approx([2e-12, 3e-15, 4e-12, 5e-12, 6e-15, 7e-12, 8e-15], rel=1e-15)


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("network", "mlp"),
        ("mac", "bipolar_mux"),
        ("stream_length", 64),
        ("stream_life", "batch"),
        ("sng_sharing", "turns:4"),
    ],
)
def test_a_training_that_the_architecture_is_not_for_is_refused(
    pair: Pair, key: str, wanted: str | int
) -> None:
    with pytest.raises(InputError, match=f"was trained with {key} .* is one of {key} {wanted}"):
        bill(pair, trained=Trained(**{key: wanted}))  # type: ignore[arg-type]


# units of the file


def _numbers(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += _numbers(value, (*path, key))
        elif isinstance(value, float):
            found.append((*path, key))
    return found


UNITS = """
schema = 1
name = "all"
macs = {parallelism = 64}
dac = {area_um2 = 3.0, energy_pJ = 0.5, leakage_W = 1e-9, source = "taken: x"}
[figures]
sram_bit_area_um2 = {value = 2.0, source = "taken: a"}
sram_bit_energy_fJ = {value = 3.0, source = "taken: b"}
sram_bit_leakage_pW = {value = 4.0, source = "taken: c"}
adder8_area_um2 = {value = 5.0, source = "taken: d"}
adder8_energy_fJ = {value = 6.0, source = "taken: e"}
multiplier8_area_um2 = {value = 7.0, source = "taken: f"}
multiplier8_energy_fJ = {value = 8.0, source = "taken: g"}
"""


@pytest.mark.parametrize("place", _numbers(tomllib.loads(UNITS)), ids=".".join)
def test_a_doubled_unit_of_the_file_moves_totals_by_the_share_of_its_lines(
    pair: Pair, place: tuple[str, ...]
) -> None:
    """The lines that move double, and the totals by just that; the others stand still."""
    before = parse(UNITS, "text")
    key = place[-2] if place[-1] == "value" else place[-1]
    old = f"{key} = {{value = " if place[-1] == "value" else f"{key} = "
    number = UNITS.split(old)[1].split(",", maxsplit=1)[0]
    after = parse(UNITS.replace(f"{old}{number}", f"{old}{2 * float(number)}"), "text")
    bills = [budget(*pair, one, BudgetOptions()) for one in (before, after)]
    attribute = {"area": "area", "energy": "energy_training", "leakage": "leakage"}[
        next(word for word in ("area", "energy", "leakage") if word in key)
    ]
    moved = 0.0
    for old_line, new_line in zip(*(one.lines for one in bills), strict=True):
        values = [getattr(line, attribute) for line in (old_line, new_line)]
        if values[0] != values[1]:
            assert values[1] == pytest.approx(2 * values[0], rel=1e-12)
            moved += values[0]
        for other in {"area", "energy_training", "leakage"} - {attribute}:
            assert getattr(new_line, other) == getattr(old_line, other)
    totals = [getattr(one, attribute) for one in bills]
    assert moved > 0
    assert totals[1] - totals[0] == pytest.approx(moved, rel=1e-9)


def test_overheads_are_shares_of_the_lines_they_name(pair: Pair) -> None:
    plain = bill(pair)
    some = Overhead("a", ("Memory", "MACs"), "assumed: test", 0.5, 0.25, 2.0)
    every = Overhead("b", ("all",), "assumed: test", area=0.1)
    found = bill(pair, overheads=(some, every))
    named = [line for line in plain.lines if line.group in some.groups]
    line = of(found, "a")
    assert line.area == pytest.approx(0.5 * math.fsum(x.area for x in named))
    assert line.energy_inference == pytest.approx(
        0.25 * math.fsum(x.energy_inference for x in named)
    )
    assert line.leakage == pytest.approx(2 * math.fsum(x.leakage for x in named))
    assert of(found, "b").area == pytest.approx(0.1 * plain.area), "one does not act on another"
    with pytest.raises(InputError, match="'Cache'; the groups of the bill are SNGs"):
        bill(pair, overheads=(replace(some, groups=("Cache",)),))
    for twice in ((some, some), (replace(some, name="Weight memory"),)):
        with pytest.raises(InputError, match="is the name of another line"):
            bill(pair, overheads=twice)


def test_pumps_pay_for_what_they_lose_of_the_write_energy(pair: Pair, pumped: Cells) -> None:
    """Efficiency 1/2: as much again as the writes take; 61,706 + 2 x 5 SNGs write at once."""
    cells, training = pumped, trained(pair[0], streamed="momentum")
    layout = replace(UNROLLED, write_supply="charge-pumps")
    found = budget(cells, training, layout, BudgetOptions(accept_edited_cells=True))
    line = of(found, "Charge pumps")
    assert line.count == 61_706 + 2 * 5
    assert line.unit_area == 80e-12
    ours = math.fsum(
        p.bits(o) * (1e-9 * o.probability + 1e-13 * (1 - o.probability))
        for p in found.workload.products
        for o in p.operands
    )
    assert line.energy_training == pytest.approx(ours, rel=1e-6)
    with pytest.raises(InputError, match="holds no charge_pump_area"):
        bill(pair, write_supply="charge-pumps")
