"""What the user chooses for a binarized network, and the record that says when it is up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from devices.binary_states import BinaryStates
from devices.cbram import CBRAM
from formats.errors import InputError
from formats.provenance import provenance, sha256_file
from system.binarized.injection import Injection
from system.binarized.pairs import MAPPINGS, Pairs, refuse
from system.binarized.representation import Representation, Representations
from system.images import source_sha256
from system.networks import network_sha256

SOURCE = (
    "devices",
    "formats",
    "system.arithmetic",
    "system.binarized",
    "system.images",
    "system.networks",
    "system.train",
)
LIBRARIES = (
    "equinox",
    "jax",
    "jaxlib",
    "mlxtend",
    "numpy",
    "optax",
    "scikit-learn",
    "scipy",
    "xarray",
)
OF_DEVICE = "device"
NONE = "off"
_FORMS = ("image", "activations", "first", "weights", "last")


@dataclass(frozen=True)
class BinarizedOptions:
    """Options of the stage; None for all images.

    ``image``, ``activations``, ``first``, ``weights`` (of the layers between) and ``last`` are
    texts of :meth:`Representation.parse`. ``states`` are texts RATIO:SPREAD or
    RATIO:SPREAD_ON:SPREAD_OFF (relative spreads), none for those of the device. ``aware`` is such a
    text, ``"device"`` or ``"off"``: what variation-aware training draws from. ``mapping`` to
    ``tile_columns`` are those of :class:`Pairs`, ``wire`` its ``segment``. ``calibrate`` training
    images re-estimate the normalisations, ``tune`` steps move gains and biases (0: not done).
    """

    device: Path
    images: str | Path | None = None
    train_images: int | None = None
    test_images: int | None = None
    network: str = "lenet-wide"
    image: str = "8-bit"
    activations: str = "binary"
    first: str = "binary"
    weights: str = "binary"
    last: str = "binary"
    states: tuple[str, ...] = ()
    aware: str = OF_DEVICE
    mapping: str = MAPPINGS[0]
    copies: int = 1
    first_copies: int = 1
    stuck_on: float = 0.0
    stuck_off: float = 0.0
    read_noise: float = 0.0
    wire: float = 0.0
    adc_bits: int | None = None
    tile_rows: int = 128
    tile_columns: int = 128
    chips: int = 5
    calibrate: int = 1000
    tune: int = 0
    epochs: int = 8
    batch_size: int = 100
    rate: float = 3e-3
    seed: int = 1
    output: Path = Path("out")
    quiet: bool = False

    @property
    def representations(self) -> Representations:
        """Of weights and activations; raises :class:`InputError` naming the option."""
        for name in _FORMS:
            with naming(f"--{name}"):
                Representation.parse(getattr(self, name))
        return Representations.parse(*(getattr(self, name) for name in _FORMS))

    def conditions(self, device: CBRAM) -> list[BinaryStates]:
        """The states of the chips; raises :class:`InputError`."""
        if not self.states:
            return [BinaryStates.of_device(device)]
        return [_states(text, device, "--states") for text in self.states]

    def pairs(self, states: BinaryStates) -> Pairs:
        """Chips with these states; raises :class:`InputError`."""
        with naming("the chip"):
            made = Pairs(
                states,
                self.mapping,
                self.copies,
                self.first_copies,
                self.stuck_on,
                self.stuck_off,
                self.read_noise,
                self.wire,
                self.adc_bits,
                self.tile_rows,
                self.tile_columns,
            )
        with naming("--mapping"):
            refuse(made, self.representations)
        return made

    def injection(self, device: CBRAM) -> Injection | None:
        """What variation-aware training draws from; None where it is off."""
        if self.aware == NONE:
            return None
        states = (
            BinaryStates.of_device(device)
            if self.aware == OF_DEVICE
            else _states(self.aware, device, "--aware")
        )
        pairs = self.pairs(states)
        return Injection(states, pairs.differential, self.copies, self.first_copies)

    def check(self) -> None:
        """Raise :class:`InputError` for a number out of range or a text that is none."""
        bounds = {
            "chips": (1, 1000),
            "calibrate": (0, 1_000_000),
            "tune": (0, 1_000_000),
            "epochs": (1, 10_000),
            "batch_size": (1, 100_000),
            "seed": (0, 2**32 - 1),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if not low <= value <= high:
                option = f"--{name.replace('_', '-')}"
                raise InputError(option, f"is {value}; expected {low} to {high}")
        if not 1e-6 <= self.rate <= 1:
            raise InputError("--rate", f"is {self.rate}; expected 1e-06 to 1")
        if self.tune and not self.calibrate:
            raise InputError("--tune", "goes on from a calibration, and --calibrate is 0")
        _ = self.representations


@contextmanager
def naming(where: str) -> Iterator[None]:
    """A ValueError in here is the user's, at ``where``."""
    try:
        yield
    except ValueError as error:
        raise InputError(where, str(error)) from error


def _states(text: str, device: CBRAM, option: str) -> BinaryStates:
    try:
        ratio, *spreads = (float(part) for part in text.split(":"))
        on, off = spreads if len(spreads) == 2 else (*spreads, *spreads)
    except ValueError as error:
        expected = "RATIO:SPREAD or RATIO:SPREAD_ON:SPREAD_OFF, like 10:0.3"
        raise InputError(option, f"is {text!r}; expected {expected}") from error
    with naming(option):
        return BinaryStates.of_spread(device.conduction.r_lrs.value, ratio, on, off)


def stage_provenance(options: BinarizedOptions) -> dict[str, Any]:
    """The provenance record of the run, made without running it."""
    chosen = asdict(options)
    inputs = {
        "device": sha256_file(options.device),
        "images": source_sha256(options.images),
    }
    for name in ("device", "images", "output", "quiet", "seed"):
        del chosen[name]
    chosen["network_file"] = network_sha256(options.network)
    return provenance(
        stage="binarized",
        inputs=inputs,
        options=chosen,
        seed=options.seed,
        source=SOURCE,
        libraries=LIBRARIES,
    )
