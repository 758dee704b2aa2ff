"""The CMOS computer is the same bill with other lines of SNGs."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from formats.cells import Cells
from formats.training import Training
from system.architecture import UNROLLED, Dac
from system.budget import BudgetOptions, budget
from system.budget.baselines.lfsr import lfsr_budget
from tests.system_baselines.reference_cells import LFSR, LFSR_AREA

OPTIONS = BudgetOptions()


def test_all_lines_but_those_of_sngs_are_the_same(pair: tuple[Cells, Training]) -> None:
    ours = budget(*pair, UNROLLED, OPTIONS)
    found = lfsr_budget(*pair, UNROLLED, OPTIONS)
    assert found is not None
    for old, new in zip(ours.lines, found.lines, strict=True):
        if old.group != "SNGs":
            assert repr(new) == repr(old)  # unknown errors are NaN, unequal to themselves
            continue
        assert (new.count, new.events_training) == (old.count, old.events_training)
        assert new.area == pytest.approx(old.count * LFSR_AREA, rel=1e-12)
        assert new.leakage == pytest.approx(old.count * LFSR["leakage_power"], rel=1e-12)
        for energy, events in (
            (new.energy_inference, old.events_inference),
            (new.energy_training, old.events_training),
        ):
            assert energy == pytest.approx(events * LFSR["energy"], rel=1e-12)


def test_a_bit_takes_a_binary_clock(pair: tuple[Cells, Training]) -> None:
    ours, found = budget(*pair, UNROLLED, OPTIONS), lfsr_budget(*pair, UNROLLED, OPTIONS)
    assert found is not None
    assert found.timing.bit == pytest.approx(1e-8)
    bits = 5 * 256
    slower = bits * (ours.timing.bit - found.timing.bit)
    assert ours.timing.inference - found.timing.inference == pytest.approx(slower, rel=1e-9)
    fast = lfsr_budget(*pair, replace(UNROLLED, binary_clock=1e12), OPTIONS)
    assert fast is not None
    assert fast.timing.bit == pytest.approx(LFSR["delay"])  # no faster than its longest path


def test_what_a_write_voltage_needs_goes(pair: tuple[Cells, Training]) -> None:
    cells, training = pair
    calibration = {
        "gain_step": None,
        "trim_bits": 5,
        "readbacks": 64,
        "rms_ln_tau": [0.3, 0.1],
        "rms_probability": [0.1, 0.03],
    }
    conditions = json.dumps({"calibration": calibration})
    trimmed = replace(training, attributes={**training.attributes, "conditions": conditions})
    layout = replace(UNROLLED, dac=Dac(1e-9, 1e-12, "assumed: test"))
    ours = budget(cells, trimmed, layout, OPTIONS)
    found = lfsr_budget(cells, trimmed, layout, OPTIONS)
    assert found is not None
    gone = {line.item for line in ours.lines} - {line.item for line in found.lines}
    assert gone == {"Write-voltage DACs", "Calibration trim registers"}


def test_no_reference_no_computer(pair: tuple[Cells, Training]) -> None:
    cells, training = pair
    groups = {name: data for name, data in cells.groups.items() if name != "lfsr_sng8"}
    assert lfsr_budget(replace(cells, groups=groups), training, UNROLLED, OPTIONS) is None


def test_its_total_is_the_sum_of_its_lines(pair: tuple[Cells, Training]) -> None:
    found = lfsr_budget(*pair, UNROLLED, OPTIONS)
    assert found is not None
    assert found.area == math.fsum(line.area for line in found.lines)
