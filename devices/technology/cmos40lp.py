"""The built-in 40-nm low-power technology: core cards, sizes, areas, corners.

The core cards carry published predictive 45-nm low-power parameters at a drawn length of 40 nm;
the I/O cards are in ``cmos40lp_io.py``, what the cards must meet in ``targets.py``.
"""

from __future__ import annotations

from devices.technology.areas import AreaRules
from devices.technology.base import Technology
from devices.technology.cmos40lp_io import COMMON, IO_CLASSES, IO_TRANSISTORS
from devices.technology.corners import CornerShift, with_corners
from devices.technology.transistor import Mismatch, Ratings, Transistor

PTM45LP = (
    "taken: main parameters of a published predictive 45-nm low-power card; recalled: the others "
    "of that card; assumed: xl = 5 nm, which keeps its electrical length at 40 nm drawn; rdsw is "
    "ours, trimmed to that card's published Ion"
)
CORE_RATING = Ratings(
    1.32,
    1.32,
    1.43,
    "assumed: gate oxide 1.1 V + 20 %; drain to source 1.1 V + 30 %, for floating nodes of a stack "
    "overshoot by charge injection while their transistor is off",
)
CORE_MISMATCH = (
    "recalled: typical of 45- and 40-nm low-power bulk, A_VT 3.5 (n) and 3.0 (p) mV um, "
    "A_beta 1 % um"
)

_CORE = {
    **COMMON,
    "k1": 0.4,
    "k2": 0.0,
    "k3": 0.0,
    "xj": 1.4e-8,
    "lint": 0.0,
    "xl": 5e-9,
    "eta0": 0.0125,
    "dtox": 3e-10,
    "minv": 0.05,
    "lpe0": 0.0,
    "lpeb": 0.0,
    "ngate": 1e23,
    "nsd": 2e20,
    "dvtp0": 1e-10,
    "dvtp1": 0.1,
    "delta": 0.01,
    "pscbe1": 8.14e8,
    "pscbe2": 1e-7,
    "fprout": 0.2,
    "pdits": 0.08,
    "pditsd": 0.23,
    "pditsl": 2.3e6,
    "dsub": 0.1,
    "dvt0": 1.0,
    "dvt1": 2.0,
    "dvt2": 0.0,
    "voff": -0.13,
    "cdsc": 0.0,
    "cdscb": 0.0,
    "cdscd": 0.0,
    "cit": 0.0,
    "etab": 0.0,
    "pclm": 0.02,
    "pdiblc1": 0.001,
    "pdiblc2": 0.001,
    "pdiblcb": -0.005,
    "drout": 0.5,
    "ua": 6e-10,
    "ub": 1.2e-18,
    "uc": 0.0,
    "a0": 1.0,
    "ags": 0.0,
    "keta": 0.04,
    # Fringe, gate-edge and body overlap capacitances of the predictive cards (recalled): without
    # them the FO4 delay is a third below the published one.
    "cgsl": 2.653e-10,
    "cgdl": 2.653e-10,
    "ckappas": 0.03,
    "ckappad": 0.03,
    "cgbo": 2.56e-11,
    "cjswgs": 3e-10,
    "cjswgd": 3e-10,
    "wint": 5e-9,
    "acde": 1.0,
    "moin": 15.0,
    "noff": 0.9,
    "voffcv": 0.02,
}
_NMOS = {
    "vth0": 0.62261,
    "vfb": -0.55,
    "rdsw": 310.0,  # published 210
    "toxe": 1.8e-9,
    "u0": 0.049,
    "vsat": 1.3e5,
    "nfactor": 1.6,
    "ndep": 3.24e18,
}
_PMOS = {
    "vth0": -0.587,
    "vfb": 0.55,
    "rdsw": 480.0,  # published 250
    "toxe": 1.82e-9,
    "u0": 0.021,
    "vsat": 9e4,
    "nfactor": 1.8,
    "ndep": 2.44e18,
}


def _core(model: str, polarity: str, own: dict[str, float], a_vt: float) -> Transistor:
    return Transistor(
        model=model,
        polarity=polarity,
        length=40e-9,
        oxide=own["toxe"],
        ratings=CORE_RATING,
        mismatch=Mismatch(a_vt, 1e-8, CORE_MISMATCH),
        source=PTM45LP,
        card={**_CORE, **own},
    )


_TYPICAL = {
    "nmos": _core("nlp", "nmos", _NMOS, 3.5e-9),
    "pmos": _core("plp", "pmos", _PMOS, 3.0e-9),
    **IO_TRANSISTORS,
}

CORE_SHIFT = CornerShift(
    vth0=0.025,
    toxe=0.03,
    u0=0.02,
    xl=1e-9,
    source="taken, rounded: the steps between the FreePDK45 nominal, ss and ff cards",
)
IO_SHIFT = CornerShift(
    vth0=0.030,
    toxe=0.03,
    u0=0.02,
    xl=5e-9,
    source="assumed, near the steps of FreePDK45's thick-oxide cards",
)

# NanGate 45-nm open cell library, X1 cells (um2); shrunk by (40/45)^2 = 0.79 at best.
NANGATE45_UM2 = {
    "inv": 0.532,
    "nand2": 0.798,
    "nor2": 0.798,
    "and2": 1.064,
    "or2": 1.064,
    "xor2": 1.596,
    "xnor2": 1.596,
    "mux2": 1.862,
    "half_adder": 2.660,
    "full_adder": 4.256,
    "dff": 4.522,
    "dffr": 5.320,
    "dlh": 2.660,
}
SHRINK = (40 / 45) ** 2

AREA_RULES = AreaRules(
    gate_pitch=162e-9,
    row_height=9 * 140e-9,
    source=(
        "derived: poly pitches x 162 nm (taken: contacted gate pitch of a 40-nm process) x 1.26 um "
        "(9 tracks of 140 nm, from the recalled NAND2 of 0.7056 um2 = 4 x 9 squares of 140 nm)"
    ),
)

CMOS40LP = Technology(
    name="cmos40lp",
    supply=1.1,
    temperature=300.0,
    library=with_corners(
        _TYPICAL,
        {flavour: CORE_SHIFT if "_" not in flavour else IO_SHIFT for flavour in _TYPICAL},
    ),
    nmos_width=0.37e-6,
    pmos_width=0.56e-6,
    feature_size=40e-9,
    area_rules=AREA_RULES,
    cells={name: area * 1e-12 * SHRINK for name, area in NANGATE45_UM2.items()},
    cells_source="taken: NanGate 45-nm open cell library (X1), times (40/45)^2 = 0.79",
    io=IO_CLASSES,
    io_class="3.3",
    corner_source=f"core {CORE_SHIFT.source}; I/O {IO_SHIFT.source}",
)
