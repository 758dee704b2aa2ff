"""The built-in 40-nm low-power technology: cards, sizes, areas.

The core cards carry published predictive 45-nm low-power parameters at a drawn length of 40 nm;
the I/O cards are our own assumption for a thick-oxide device of the 3.3-V class.
"""

from __future__ import annotations

from devices.technology.base import Technology, Transistor

PTM45LP = (
    "taken: main parameters of a published predictive 45-nm low-power card; recalled: the others "
    "of that card; assumed: xl = 5 nm, which keeps its electrical length at 40 nm drawn"
)
ASSUMED_IO = "assumed: a generic thick-oxide 3.3-V device, not any foundry's"


_COMMON = {
    "binunit": 1,
    "mobmod": 0,
    "capmod": 2,
    "igcmod": 0,  # gate leakage of the low-power oxide is not modelled
    "igbmod": 0,
    "rdsmod": 0,
    "geomod": 0,
    "diomod": 1,
    # Overlap and junction capacitances: typical of the predictive cards (recalled).
    "cgso": 1.1e-10,
    "cgdo": 1.1e-10,
    "cjs": 5e-4,
    "cjd": 5e-4,
    "cjsws": 5e-10,
    "cjswd": 5e-10,
}
_CORE = {
    **_COMMON,
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
}
_IO = {
    **_COMMON,
    "toxe": 7e-9,
    "lpe0": 0.0,
    "lpeb": 0.0,
    "k1": 0.6,
    "xj": 1e-7,
    "ndep": 2e17,
    "vsat": 9e4,
    "nfactor": 1.2,
    "eta0": 0.01,
    "rdsw": 300.0,
    "cgso": 2.5e-10,
    "cgdo": 2.5e-10,
}

# NanGate 45-nm open cell library, X1 cells (um2); shrunk by (40/45)^2 = 0.79 at best.
_NANGATE45_UM2 = {
    "inv": 0.532,
    "nand2": 0.798,
    "and2": 1.064,
    "or2": 1.064,
    "xor2": 1.596,
    "xnor2": 1.596,
    "mux2": 1.862,
    "full_adder": 4.256,
    "dff": 4.522,
}
_SHRINK = (40 / 45) ** 2

CMOS40LP = Technology(
    name="cmos40lp",
    supply=1.1,
    temperature=300.0,
    transistors={
        "nmos": Transistor(
            "nlp",
            "nmos",
            40e-9,
            1.32,
            "assumed: 1.1 V + 20 %, for floating nodes of a stack overshoot by charge injection",
            {
                **_CORE,
                "vth0": 0.62261,
                "vfb": -0.55,
                "rdsw": 210.0,
                "toxe": 1.8e-9,
                "u0": 0.049,
                "vsat": 1.3e5,
                "nfactor": 1.6,
                "ndep": 3.24e18,
            },
            PTM45LP,
        ),
        "pmos": Transistor(
            "plp",
            "pmos",
            40e-9,
            1.32,
            "assumed: 1.1 V + 20 %, for floating nodes of a stack overshoot by charge injection",
            {
                **_CORE,
                "vth0": -0.587,
                "vfb": 0.55,
                "rdsw": 250.0,
                "toxe": 1.82e-9,
                "u0": 0.021,
                "vsat": 9e4,
                "nfactor": 1.8,
                "ndep": 2.44e18,
            },
            PTM45LP,
        ),
        "nmos_io": Transistor(
            "n33",
            "nmos",
            0.35e-6,
            3.63,
            "assumed: 3.3 V + 10 %, for write pulses last",
            {**_IO, "vth0": 0.6, "u0": 0.040},
            ASSUMED_IO,
        ),
        "pmos_io": Transistor(
            "p33",
            "pmos",
            0.35e-6,
            3.63,
            "assumed: 3.3 V + 10 %, for write pulses last",
            {**_IO, "vth0": -0.65, "u0": 0.011},
            ASSUMED_IO,
        ),
    },
    nmos_width=0.37e-6,
    pmos_width=0.56e-6,
    gate_areas={name: area * 1e-12 * _SHRINK for name, area in _NANGATE45_UM2.items()},
    gate_area_source="taken: NanGate 45-nm open cell library (X1), times (40/45)^2 = 0.79",
    io_area_source="assumed: (L + 2 x 0.24 um) x (W + 0.30 um) for each 3.3-V transistor",
)
