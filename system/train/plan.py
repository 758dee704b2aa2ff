"""Which arithmetic, with how many bits, makes each product of each layer: the plan of a run.

The default MAC and stream length hold for every product; texts ``LAYER.PRODUCT:KEY=VALUE`` change
them, ``*`` standing for any name. KEY is ``mac`` (a group of cells.nc, or ``binary`` for plain
arithmetic) or ``stream_length``. A schedule ``BITS:EPOCHS,...`` gives shorter streams to the first
epochs, where no text sets a length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from formats.cells import Cells
from formats.errors import InputError
from formats.training import BINARY, PRODUCTS
from system.arithmetic import Arithmetic, Float, Generators, Product, arithmetic_of, mode_of
from system.arithmetic.binomial import LONGEST
from system.bitstream import StreamRules
from system.networks import Layer

SHORTEST = 2


@dataclass(frozen=True)
class Setting:
    """The MAC group of a product, or ``BINARY``, and the bits of its streams (0: none)."""

    mac: str
    length: int

    @property
    def streamed(self) -> bool:
        """Whether the product is made by streams."""
        return self.mac != BINARY


@dataclass(frozen=True)
class Plan:
    """The setting of every (layer, product) in one epoch."""

    settings: Mapping[tuple[str, str], Setting]

    def __getitem__(self, place: tuple[str, str]) -> Setting:
        return self.settings[place]

    @property
    def streamed(self) -> bool:
        """Whether any product is made by streams."""
        return any(setting.streamed for setting in self.settings.values())

    def forward_only(self) -> Plan:
        """The same where only the forward products are made by streams."""
        return self._only(("forward",))

    def with_binary_update(self) -> Plan:
        """The same with a binary update."""
        return self._only(tuple(name for name in PRODUCTS if name != "update"))

    def all_binary(self) -> Plan:
        """The same without streams."""
        return self._only(())

    def _only(self, kept: tuple[str, ...]) -> Plan:
        return Plan(
            {
                place: setting if place[1] in kept else Setting(BINARY, 0)
                for place, setting in self.settings.items()
            }
        )


@dataclass(frozen=True)
class Made:
    """A plan's arithmetics: the products of each layer, and its update (None: the binary unit)."""

    products: Mapping[str, Product]
    updates: Mapping[str, Arithmetic | None]


def parse_schedule(text: str) -> tuple[tuple[int, int], ...]:
    """((bits, epochs), ...) of ``BITS:EPOCHS,...``; raises :class:`InputError`."""
    parts = []
    for part in filter(None, text.split(",")):
        bits, _, epochs = part.partition(":")
        try:
            found = int(bits), int(epochs)
        except ValueError:
            found = 0, 0
        if not SHORTEST <= found[0] <= LONGEST or found[1] < 1:
            raise InputError(
                "--schedule",
                f"{part!r}: expected BITS:EPOCHS with {SHORTEST} to {LONGEST} bits for 1 or more "
                "epochs, as in 64:3,128:2",
            )
        parts.append(found)
    return tuple(parts)


def plans(
    layers: Sequence[str],
    *,
    from_image: Sequence[str] = (),
    mac: str,
    length: int,
    rules: Sequence[str],
    schedule: str,
    epochs: int,
) -> tuple[Plan, ...]:
    """The plan of each epoch; raises :class:`InputError` for texts that are none.

    Layers ``from_image`` have no input gradient, whatever the texts say.
    """
    parts = parse_schedule(schedule)
    scheduled = sum(count for _, count in parts)
    if scheduled >= epochs:
        raise InputError(
            "--schedule",
            f"is for {scheduled} epochs, but --epochs is {epochs}; expected fewer, as at least the "
            "last has --stream-length",
        )
    lengths = [bits for bits, count in parts for _ in range(count)]
    lengths += [length] * (epochs - len(lengths))
    return tuple(_plan(layers, mac, bits, rules, from_image) for bits in lengths)


def _plan(
    layers: Sequence[str], mac: str, length: int, rules: Sequence[str], from_image: Sequence[str]
) -> Plan:
    settings = {(layer, product): Setting(mac, length) for layer in layers for product in PRODUCTS}
    for rule in rules:
        place, _, changes = rule.partition(":")
        layer, _, product = place.partition(".")
        chosen = [
            where
            for where in settings
            if fnmatchcase(where[0], layer) and fnmatchcase(where[1], product)
            if where[1] != "input_gradient" or where[0] not in from_image
        ]
        if not chosen:
            raise InputError(
                "--product",
                f"{rule!r} is for no product; there are the layers {', '.join(layers)} with "
                f"{', '.join(PRODUCTS)}, as in *.update:mac=binary",
            )
        for change in changes.split(","):
            for where in chosen:
                settings[where] = _changed(settings[where], rule, change)
    for layer in from_image:
        settings[layer, "input_gradient"] = Setting(BINARY, 0)
    return Plan(
        {
            where: setting if setting.streamed else Setting(BINARY, 0)
            for where, setting in settings.items()
        }
    )


def _changed(setting: Setting, rule: str, change: str) -> Setting:
    key, _, value = change.partition("=")
    if key == "mac" and value:
        return replace(setting, mac=value)
    if key == "stream_length" and value.isdecimal() and SHORTEST <= int(value) <= LONGEST:
        return replace(setting, length=int(value))
    raise InputError(
        "--product",
        f"{rule!r}: {change!r} is not mac=NAME or stream_length=BITS ({SHORTEST} to {LONGEST})",
    )


class Workshop:
    """Makes the arithmetics of plans, each kind once.

    ``mode`` is "moments" or "exact".
    """

    def __init__(self, cells: Cells, generators: Generators, rules: StreamRules, mode: str) -> None:
        self.cells, self.generators, self.rules, self.mode = cells, generators, rules, mode
        self.kinds: dict[Setting, Arithmetic] = {Setting(BINARY, 0): Float()}

    def arithmetic(self, setting: Setting) -> Arithmetic:
        """The arithmetic of a setting; raises :class:`InputError` for a MAC there is not."""
        if setting not in self.kinds:
            group = self.cells.mac(setting.mac)
            self.kinds[setting] = arithmetic_of(
                self.cells.path,
                setting.mac,
                group,
                self.generators,
                setting.length,
                self.rules,
                self.mode,  # type: ignore[arg-type]
            )
        return self.kinds[setting]

    def make(self, plan: Plan, layers: Sequence[Layer]) -> Made:
        """The arithmetics of all layers."""
        products, updates = {}, {}
        for layer in layers:
            products[layer.name] = Product(
                layer.linear,
                self.arithmetic(plan[layer.name, "forward"]),
                self.arithmetic(plan[layer.name, "input_gradient"]),
                self.arithmetic(plan[layer.name, "weight_gradient"]),
                not layer.from_image,
            )
            setting = plan[layer.name, "update"]
            updates[layer.name] = self.arithmetic(setting) if setting.streamed else None
        return Made(products, updates)


def in_float(layers: Sequence[Layer]) -> Made:
    """Everything in floating point."""
    kind = Float()
    return Made(
        {layer.name: Product.of(kind, layer.linear, not layer.from_image) for layer in layers},
        {layer.name: None for layer in layers},
    )


def exact_reason(
    cells: Cells, generators: Generators, rules: StreamRules, plan: Plan
) -> str | None:
    """Why a plan cannot be computed by moments, or None."""
    for mac in sorted({setting.mac for setting in plan.settings.values() if setting.streamed}):
        attributes = cells.mac(mac).attrs
        words = str(attributes["encoding"]), str(attributes["adder"])
        needed, reason = mode_of(generators, rules, *words)
        if needed == "exact":
            return reason
    return None
