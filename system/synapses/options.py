"""What the user chooses for a training on synapses, and the record of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from devices.synapse import PRESETS, Synapse
from formats.errors import InputError
from formats.provenance import provenance, sha256_bytes
from formats.synapse import read_synapse
from system.images import source_sha256
from system.networks import network_sha256
from system.synapses.crossbars import CELLS
from system.synapses.learning import COINCIDENCE, GRADIENT

SOURCE = (
    "devices",
    "formats",
    "system.arithmetic",
    "system.images",
    "system.networks",
    "system.synapses",
    "system.train",
)
LIBRARIES = ("equinox", "jax", "jaxlib", "numpy", "optax", "scipy", "xarray")
RULES = (GRADIENT, COINCIDENCE)
RATES = {GRADIENT: 0.4, COINCIDENCE: 0.4}
_WHAT_IFS = (
    "levels",
    "dynamic_range",
    "sigma_step",
    "sigma_ends",
    "nonlinearity",
    "asymmetry",
    "stuck",
)
_LIMITS: dict[str, tuple[float, float]] = {
    "levels": (2, 1e4),
    "dynamic_range": (1.001, 1e9),
    "sigma_step": (0, 10),
    "sigma_ends": (0, 10),
    "nonlinearity": (-10, 10),
    "asymmetry": (-10, 10),
    "stuck": (0, 1),
    "rate": (1e-9, 1e3),
}


@dataclass(frozen=True)
class SynapseOptions:
    """Options of ``python -m system.synapses``.

    ``synapse`` is a preset's name or a file of formats.synapse; ``levels`` to ``stuck`` replace
    some of it (:meth:`devices.synapse.Synapse.assuming`; None: as it says). ``rate`` None is that
    of the rule. ``images`` and ``network`` are those of stage 3.
    """

    synapse: str = "limited-15-32"
    images: str | Path | None = None
    train_images: int | None = None
    test_images: int | None = None
    network: str = "lenet5"
    cells: str = "pair"
    rule: str = GRADIENT
    stream_bits: int = 10
    recentre: bool = False
    levels: float | None = None
    dynamic_range: float | None = None
    sigma_step: float | None = None
    sigma_ends: float | None = None
    nonlinearity: float | None = None
    asymmetry: float | None = None
    stuck: float | None = None
    rate: float | None = None
    epochs: int = 10
    batch_size: int = 64
    seed: int = 1
    seeds: int = 1
    fresh: bool = False
    output: Path = Path("out")
    quiet: bool = False

    @property
    def first_rate(self) -> float:
        """The rate asked for, or that of the rule."""
        return RATES[self.rule] if self.rate is None else self.rate

    def check(self) -> None:
        """Raise :class:`InputError` for the first option out of bounds."""
        for name, known in (("cells", tuple(CELLS)), ("rule", RULES)):
            value = getattr(self, name)
            if value not in known:
                raise InputError(f"--{name}", f"is {value!r}; expected {' or '.join(known)}")
        for name, least, most in (
            ("epochs", 1, 10_000),
            ("batch_size", 1, 100_000),
            ("seeds", 1, 1000),
            ("seed", 0, 2**31),
            ("stream_bits", 1, 1024),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise InputError(_option(name), f"is {value}; expected {least} to {most}")
        for name, (low, high) in _LIMITS.items():
            given = getattr(self, name)
            if given is not None and not low <= given <= high:
                raise InputError(_option(name), f"is {given:g}; expected {low:g} to {high:g}")
        if self.recentre and self.cells != "pair":
            raise InputError("--recentre", "is for pairs; a single device has no other one")

    def device(self) -> Synapse:
        """The synapse with the what-ifs; raises :class:`InputError`."""
        if self.synapse in PRESETS:
            base = PRESETS[self.synapse]()
        elif Path(self.synapse).suffix in (".json", ".toml"):
            base = Synapse.from_dict(read_synapse(Path(self.synapse)))
        else:
            raise InputError(
                "--synapse",
                f"is {self.synapse!r}; expected {', '.join(PRESETS)}, or a file .json or .toml",
            )
        changed = base.assuming(**{name: getattr(self, name) for name in _WHAT_IFS})
        for side in (changed.potentiation, changed.depression):
            if abs(side.nonlinearity.value) > 10:
                raise InputError("--asymmetry", "makes a nonlinearity beyond 10; expected less")
        return changed


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def stage_provenance(options: SynapseOptions, synapse_text: str) -> dict[str, Any]:
    """The provenance record of the run, made without running it."""
    chosen = asdict(options)
    for name in ("synapse", "images", "output", "quiet", "seed", "fresh"):
        del chosen[name]
    chosen["network_file"] = network_sha256(options.network)
    return provenance(
        stage="train on synapses",
        inputs={
            "images": source_sha256(options.images),
            "synapse": sha256_bytes(synapse_text.encode()),
        },
        options=chosen,
        seed=options.seed,
        source=SOURCE,
        libraries=LIBRARIES,
    )
