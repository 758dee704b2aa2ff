"""A tile of the mapped network as an ngspice crossbar with wires, beside the system's model.

The first 16 taps and 8 outputs of the second convolution, in pairs: 16 x 16 devices. Half of the
rows are driven, as binary activations do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.binarized_networks import BITS, R_ON, networks
from circuits.crossbar import column_currents
from circuits.simulator import Simulator, executable_version
from devices.binary_states import BinaryStates
from devices.crossbar import transfer
from formats.seeds import generator
from system.binarized.pairs import Pairs, draw_plane
from system.images import Images

ROWS, OUTPUTS = 16, 8
SEGMENTS = (1.0, 10.0, 100.0)
READ_VOLTAGE = 0.1
"""V (assumed)."""
PATTERNS = 5
AGREE = 1e-6


def run(images: Images) -> dict[str, Any]:
    """Simulate, print, and return the content of the result file."""
    model = networks(images)["aware"].model
    layer = model.layers[1]
    latent = layer.weight[:ROWS, :OUTPUTS]
    plane = np.asarray(BITS.inner.weights(latent))
    states = BinaryStates.of_spread(R_ON, 10, 0.3, 0.3)
    random = generator(1, "tile", "rows")
    voltages = READ_VOLTAGE * (random.random((PATTERNS, ROWS)) < 0.5)
    rows = []
    with Simulator(cache="off") as simulator:
        for segment in SEGMENTS:
            pairs = Pairs(states, segment=segment)
            weights, _, _ = draw_plane(plane, pairs, generator(1, "tile"))
            devices = _devices(plane, states)
            exact = transfer(devices, segment)
            worst = {"columns": 0.0, "outputs": 0.0, "without_wires": 0.0}
            for drive in voltages:
                found = column_currents(simulator, devices, segment, drive)
                ours = drive @ exact
                pair = found[0::2] - found[1::2]
                outputs = drive @ weights * states.unit
                scale = np.abs(pair).max()
                worst["columns"] = max(worst["columns"], float(np.abs(ours / found - 1).max()))
                worst["outputs"] = max(
                    worst["outputs"], float(np.abs(outputs - pair).max() / scale)
                )
                worst["without_wires"] = max(
                    worst["without_wires"], float(np.abs(drive @ devices / found - 1).max())
                )
            rows.append({"segment_ohm": segment, **worst})
            print(
                f"wires of {segment:g} ohm: column currents {worst['columns']:.1e}, outputs "
                f"{worst['outputs']:.1e} off ngspice's (relative); without wires in the model "
                f"{100 * worst['without_wires']:.2f} %"
            )
    most = max(max(row["columns"], row["outputs"]) for row in rows)
    return {
        "shows": f"{ROWS} x {2 * OUTPUTS} devices of the mapped network in ngspice "
        f"{executable_version()} and in the system's model, {PATTERNS} drives",
        "rows": rows,
        "verdict": [
            {
                "asked": f"relative error of currents <= {AGREE:g}",
                "reached": float(f"{most:.2g}"),
                "met": bool(most <= AGREE),
            }
        ],
    }


def _devices(plane: np.ndarray, states: BinaryStates) -> np.ndarray:
    """The conductances that :func:`draw_plane` draws with the same generator."""
    on = np.stack([plane > 0, plane < 0], axis=2).reshape(plane.shape[0], -1)
    return np.asarray(
        states.conductances(on, generator(1, "tile").standard_normal((1, *on.shape)))[0]
    )
