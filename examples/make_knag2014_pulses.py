"""Makes knag2014_pulses.csv and knag2014_waits.csv: SYNTHETIC data drawn from the published law.

They stand in for a probe station's tables at the start of the pipeline. Run
``python examples/make_knag2014_pulses.py [FOLDER]``; the default folder is this script's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from devices.presets import KNAG2014_TAU0, KNAG2014_V0, knag2014
from formats.atomic import write_text
from formats.seeds import generator

SEED = 20140313
TRIALS = 500
VOLTAGES = (2.6, 2.7, 2.8, 2.9, 3.0, 3.1, 3.2, 3.4, 3.6)
WIDTHS = (10e-6, 100e-6, 1e-3, 10e-3)
WAITS_PER_VOLTAGE = 200
WAIT_VOLTAGES = (2.8, 3.0, 3.2, 3.4)
LONGEST_WAIT = 0.01


def header(what: str) -> str:
    """The comment lines at the top of a file."""
    return (
        f"# SYNTHETIC data, not measured: {what}\n"
        f"# Law: P = 1 - exp(-t/tau), tau = {KNAG2014_TAU0:g} s exp(-V/{KNAG2014_V0:g} V), as used "
        "in Knag, Lu, Zhang,\n"
        "# IEEE T-NANO 13, 283 (2014) (recalled, not re-read). No device or cycle spread.\n"
        f"# Seed {SEED}; made by examples/make_knag2014_pulses.py.\n"
    )


def pulses() -> str:
    """The text of knag2014_pulses.csv."""
    law = knag2014().set
    random = generator(SEED, "pulses")
    text = header(f"{TRIALS} fresh pulses for each voltage and width.")
    text += "voltage_V,pulse_width_s,trials,switched\n"
    for width in WIDTHS:
        for voltage in VOLTAGES:
            p = float(law.probability(np.array([voltage]), width)[0])
            text += f"{voltage:g},{width:g},{TRIALS},{random.binomial(TRIALS, p)}\n"
    return text


def waits() -> str:
    """The text of knag2014_waits.csv."""
    law = knag2014().set
    random = generator(SEED, "waits")
    text = header(
        f"{WAITS_PER_VOLTAGE} waits for each voltage, given up after {LONGEST_WAIT:g} s "
        "(switched = 0)."
    )
    text += "voltage_V,wait_time_s,switched\n"
    for voltage in WAIT_VOLTAGES:
        exposure = law.sample_thresholds(random, WAITS_PER_VOLTAGE)
        times = exposure / law.rate(np.array([voltage]))[0]
        for time in times:
            switched = time < LONGEST_WAIT
            text += f"{voltage:g},{min(float(time), LONGEST_WAIT):.6g},{int(switched)}\n"
    return text


def main(folder: Path) -> None:
    """Write both files."""
    write_text(folder / "knag2014_pulses.csv", pulses())
    write_text(folder / "knag2014_waits.csv", waits())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
