"""A network so small that every line of its bill is worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from formats.cells import read_cells
from formats.training import read_training, write_training
from system.architecture import UNROLLED
from system.budget import BudgetOptions, budget
from tests import synthetic_training as synthetic
from tests.system_report.changes import of


def test_two_neuron_network_matches_pencil_and_paper(cells_path: Path, tmp_path: Path) -> None:
    """One layer of 3 inputs and 2 outputs, N = 4, batch 1, plain SGD, every line by hand."""
    data = synthetic.lenet5().isel(layer=[4]).copy(deep=True)
    for name, values in {
        "macs": (6, 0, 6, 0),
        "fan_in": (3, 0, 1, 0),
        "outputs": (2, 0, 6, 0),
        "a_streams": (3, 0, 3, 0),
        "b_streams": (6, 0, 2, 0),
        "operand_a": (0.5, np.nan, 0.5, np.nan),
        "operand_b": (0.5, np.nan, 0.5, np.nan),
    }.items():
        data[name][:] = np.array([values], float)
    data["stream_length"][:] = np.where(data["stream_length"] > 0, 4, 0)
    for name in ("mac", "encoding", "adder"):
        data[name][0, 1] = ""
    data["stream_length"][:, 0, 1] = 0
    data["scale_exponent"][..., 3:] = np.nan
    attributes = synthetic.attributes_for(cells_path) | {
        "parameters": 6,
        "batch_size": 1,
        "rule": "sgd",
        "operand_bits": 7,
        "scale_counter_bits": 3,
    }
    write_training(tmp_path / "small.nc", attributes, data)
    bill = budget(
        read_cells(cells_path),
        read_training(tmp_path / "small.nc"),
        UNROLLED,
        BudgetOptions(),
    )
    # SNG: half of the bits switch; reset 2 pJ or 1 fJ, write 1 nJ or 0.1 pJ, read 30 fJ or 1 fJ.
    bit = 0.5 * (2e-12 + 1e-9 + 30e-15) + 0.5 * (1e-15 + 1e-13 + 1e-15)
    assert of(bill, "SNGs of parameters").energy_training == pytest.approx(6 * 4 * bit)
    assert of(bill, "SNGs of activations").energy_training == pytest.approx(2 * 3 * 4 * bit)
    assert of(bill, "SNGs of errors").energy_inference == 0
    # MAC: 1 fJ + 5 fJ * 4 * 0.25 * 0.75 at (0.5, 0.5); 6 products of 4 bits.
    mac = 1e-15 + 5e-15 * 0.75
    assert of(bill, "MACs").energy_inference == pytest.approx(6 * 4 * mac)
    assert of(bill, "MACs").area == pytest.approx(6 * 6.5e-12)
    # Accumulators: forward 2 x (12 -> 4 bits, + 1) = 10 bits, gradient 6 x (4 -> 3 bits, + 1) = 24.
    assert of(bill, "Accumulator registers").count == 24
    assert of(bill, "Accumulator registers").energy_training == pytest.approx(34 * 4 * 12e-15)
    # The mean of |transition| over 64 transitions of 3 inputs is 1.5 flips of 1 fJ.
    assert of(bill, "Accumulator adders").energy_training == pytest.approx(34 * 4 * 1.5e-15)
    # Operand registers: 6 + 3 + 2 SNGs of 7 bits and a sign, set 9 times forward, 5 backward.
    assert of(bill, "Operand registers").count == 11 * 8
    assert of(bill, "Operand registers").energy_training == pytest.approx(14 * 8 * 12e-15)
    # No biases: one shifter of 5 bits in 3 stages, passed by 2 + 6 counts; a MUX2 has 3 inputs.
    shifter = of(bill, "Port shifters")
    assert shifter.area == pytest.approx(15 * 2e-12)
    assert shifter.energy_inference == pytest.approx(2 * 15 * 1.5e-15)
    assert shifter.energy_training == pytest.approx(8 * 15 * 1.5e-15)
    # Scales of x, w and d, 6 bits each; counters of 2 x 3 bits see 3 x, 2 d and 6 w an image.
    assert of(bill, "Scale registers").count == 18
    assert of(bill, "Scale counter registers").count == 18
    assert of(bill, "Scale counter registers").energy_training == pytest.approx(11 * 6 * 12e-15)
    assert of(bill, "Scale counter adders").count == 27
    assert of(bill, "Scale counter adders").events_training == 11 * 6 + 9
    assert of(bill, "Scale counter adders").energy_inference == 0
    assert of(bill, "Weight memory").area == pytest.approx(6 * 16 * 0.242e-12)
    # 3 activations of 7 + 1 bits: written, and read by both products; 2 errors.
    assert of(bill, "Activation memory").events_training == 3 * 3 * 8
    assert of(bill, "Activation memory").events_inference == 2 * 3 * 8
    assert of(bill, "Error memory").events_training == 2 * 2 * 8
    assert of(bill, "Weight memory").events_training == (6 + 2 * 6) * 16
    assert of(bill, "Update unit adders").energy_training == pytest.approx(6 * 2 * 52.5e-15)
    assert of(bill, "Update unit multipliers").energy_training == pytest.approx(6 * 4 * 792e-15)
    # g and w are rounded, in adders of 16 + 16 bits, with 16 bits and 3 gates of an LFSR each.
    assert of(bill, "Rounding adders").energy_training == pytest.approx(12 * 4 * 52.5e-15)
    assert of(bill, "Rounding LFSR registers").count == 32
    assert of(bill, "Rounding LFSR registers").energy_training == pytest.approx(12 * 16 * 12e-15)
    assert of(bill, "Rounding LFSR feedback").energy_training == pytest.approx(12 * 3 * 1e-15)
    absent = ("Optimiser", "Gradient", "Bias", "FP32", "Calibration", "SNGs of constants")
    assert not any(line.item.startswith(absent) for line in bill.lines)
    # A count leaves its port in 10 ns, and so is a parameter written.
    assert bill.timing.inference == pytest.approx(4 * 1.04e-4 + 2e-8)
    assert bill.timing.training_step == pytest.approx(2 * 4 * 1.04e-4 + 8e-8 + 6e-8)
