"""Makes the example tables: SYNTHETIC data, one of each kind, drawn from laws we know.

They stand in for a probe station's tables at the start of the pipeline. Run
``python examples/make_examples.py [FOLDER]``; the default folder is this script's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.special import log_ndtr

from devices.defaults import KNAG2014_TAU0, KNAG2014_V0
from devices.presets import knag2014
from formats.atomic import write_text
from formats.seeds import generator

SEED = 20140313
TRIALS = 500
VOLTAGES = (2.6, 2.7, 2.8, 2.9, 3.0, 3.1, 3.2, 3.4, 3.6)
WIDTHS = (10e-6, 100e-6, 1e-3, 10e-3)
WAITS_PER_VOLTAGE = 200
WAIT_VOLTAGES = (2.8, 3.0, 3.2, 3.4)
LONGEST_WAIT = 0.01
LAST_RAMP = 1.1


def header(what: str) -> str:
    """The comment lines at the top of a file."""
    return (
        f"# SYNTHETIC data, not measured: {what}\n"
        f"# Law: P = 1 - exp(-t/tau), tau = {KNAG2014_TAU0:g} s exp(-V/{KNAG2014_V0:g} V), as used "
        "in Knag, Lu, Zhang,\n"
        "# IEEE T-NANO 13, 283 (2014) (recalled, not re-read). No device or cycle spread.\n"
        f"# Seed {SEED}; made by examples/make_examples.py.\n"
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


def own_header(what: str, law: str) -> str:
    """The comment lines of the tables with laws of their own."""
    return (
        f"# SYNTHETIC data, not measured: {what}\n"
        f"# Law: {law}\n"
        f"# Seed {SEED}; made by examples/make_examples.py.\n"
    )


def devices() -> str:
    """The text of devices.csv: 40 devices, 40 pulses each, that differ and remember."""
    random = generator(SEED, "devices")
    text = own_header(
        "40 devices x 40 cycles, one pulse a cycle.",
        "exponential, tau = 1e-4 s exp(-(V - 3.15 V)/0.15 V) of the median device; ln tau "
        "spreads\n# over devices with sigma 0.5; successive scores correlate by 0.5.",
    )
    text += "device,cycle,voltage_V,pulse_width_s,switched\n"
    for device in range(40):
        own, score = 0.5 * random.standard_normal(), random.standard_normal()
        for cycle in range(40):
            voltage, width = (3.0, 3.1, 3.2, 3.3)[cycle % 4], (2e-5, 1e-4)[cycle // 4 % 2]
            exposure = width / (1e-4 * np.exp(own - (voltage - 3.15) / 0.15))
            switched = exposure >= -log_ndtr(-score)
            text += f"d{device},{cycle},{voltage:g},{width:g},{int(switched)}\n"
            score = 0.5 * score + np.sqrt(0.75) * random.standard_normal()
    return text


def ramps() -> str:
    """The text of ramps.csv: three ramp rates, in units of its own."""
    random = generator(SEED, "ramps")
    v0, tau0, shape = 0.08, 5e3, 1.4
    text = own_header(
        f"100 voltage ramps from 0 V at each rate, ended at {LAST_RAMP:g} V (switched = 0).",
        f"Weibull with shape {shape:g}, tau = {tau0:g} s exp(-V/{v0:g} V).",
    )
    text += "ramp rate (V/s),V_set (mV),switched\n"
    for rate in (0.1, 1.0, 10.0):
        exposure = random.exponential(size=100) ** (1 / shape)
        for top in v0 * np.log1p(exposure * rate * tau0 / v0):
            text += f"{rate:g},{1e3 * min(float(top), LAST_RAMP):.1f},{int(top < LAST_RAMP)}\n"
    return text


def cycling() -> str:
    """The text of cycling.csv: 300 SET/RESET cycles of one device."""
    random = generator(SEED, "set and reset")
    text = own_header(
        "300 cycles of one device, both ramps at 1 V/s.",
        "SET tau = 1e5 s exp(-V/0.08 V), RESET tau = 1e4 s exp(-|V|/0.06 V), exponential;\n"
        "# LRS 8 kohm, HRS 200 kohm, sigma of ln R 0.1 and 0.4.",
    )
    text += "cycle,v_set_V,v_reset_V,r_lrs_ohm,r_hrs_ohm\n"
    for cycle in range(1, 301):
        e = random.exponential(size=2)
        v_set = 0.08 * np.log1p(e[0] * 1e5 / 0.08)
        v_reset = -0.06 * np.log1p(e[1] * 1e4 / 0.06)
        lrs, hrs = np.exp(random.standard_normal(2) * (0.1, 0.4)) * (8e3, 2e5)
        text += f"{cycle},{v_set:.4f},{v_reset:.4f},{lrs:.0f},{hrs:.0f}\n"
    return text


TABLES = {
    "knag2014_pulses.csv": pulses,
    "knag2014_waits.csv": waits,
    "devices.csv": devices,
    "ramps.csv": ramps,
    "cycling.csv": cycling,
}


def main(folder: Path) -> None:
    """Write all tables."""
    for name, make in TABLES.items():
        write_text(folder / name, make())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
