"""Texts of a plan change what they name and nothing else, and each product gets that arithmetic."""

from __future__ import annotations

from itertools import product as combinations
from pathlib import Path

import numpy as np
import pytest

from formats.cells import Cells, read_cells
from formats.errors import InputError
from formats.training import PRODUCTS
from system.arithmetic import (
    Arithmetic,
    BipolarMux,
    BitExact,
    Float,
    Generators,
    SignMagnitudeCounter,
)
from system.bitstream import DEFAULT_RULES
from system.networks import Layer, build_network, layers_of
from system.train.plan import BINARY, Made, Plan, Setting, Workshop, plans

LAYERS = ("conv", "fc", "out")
COUNTER, MUX = "sign_magnitude_counter", "bipolar_mux"
PLAIN = Setting(COUNTER, 64)


def planned(*rules: str, schedule: str = "", epochs: int = 3) -> tuple[Plan, ...]:
    return plans(LAYERS, mac=COUNTER, length=64, rules=rules, schedule=schedule, epochs=epochs)


def changed(*rules: str) -> dict[tuple[str, str], Setting]:
    """What the texts make other than the default, in the last epoch."""
    return {
        place: setting
        for place, setting in planned(*rules)[-1].settings.items()
        if setting != PLAIN
    }


@pytest.mark.parametrize(
    ("rule", "layers", "products", "setting"),
    [
        ("fc.update:mac=binary", ("fc",), ("update",), Setting(BINARY, 0)),
        ("*.update:mac=binary", LAYERS, ("update",), Setting(BINARY, 0)),
        ("conv.*:stream_length=8", ("conv",), PRODUCTS, Setting(COUNTER, 8)),
        ("*.*_gradient:mac=x", LAYERS, ("input_gradient", "weight_gradient"), Setting("x", 64)),
        ("[cf]*.forward:mac=x,stream_length=9", ("conv", "fc"), ("forward",), Setting("x", 9)),
        ("*.*:mac=binary", LAYERS, PRODUCTS, Setting(BINARY, 0)),
    ],
)
def test_a_text_changes_exactly_what_it_names(
    rule: str, layers: tuple[str, ...], products: tuple[str, ...], setting: Setting
) -> None:
    assert changed(rule) == dict.fromkeys(combinations(layers, products), setting)
    assert not changed()


def test_the_later_text_wins() -> None:
    every, one = "*.forward:stream_length=32", "fc.forward:stream_length=16"
    place = ("fc", "forward")
    assert changed(every, one)[place].length == 16 and changed(one, every)[place].length == 32
    back = changed("*.update:mac=binary", f"fc.update:mac={COUNTER}")
    assert ("fc", "update") not in back and len(back) == len(LAYERS) - 1
    assert changed("fc.update:mac=binary,stream_length=8")["fc", "update"] == Setting(BINARY, 0)


def test_a_schedule_gives_each_epoch_its_length_where_no_text_does() -> None:
    found = planned("fc.*:stream_length=7", "out.update:mac=binary", schedule="8:2,16:1", epochs=5)
    assert [plan["conv", "forward"].length for plan in found] == [8, 8, 16, 64, 64]
    assert [plan["fc", "forward"].length for plan in found] == [7] * 5
    assert [plan["out", "update"].length for plan in found] == [0] * 5
    assert len(planned()) == 3 and len(set(map(str, planned()))) == 1


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("fc3.forward:mac=x", ("'fc3.forward:mac=x'", "conv, fc, out", "weight_gradient")),
        ("fc.backward:mac=binary", ("forward, input_gradient, weight_gradient, update",)),
        ("fc:mac=binary", ("is for no product",)),
        ("fc.forward", ("'' is not mac=NAME",)),
        ("fc.forward:mac=", ("'mac='",)),
        ("fc.forward:length=8", ("'length=8'", "stream_length=BITS")),
        ("fc.forward:stream_length=1", ("2 to ",)),
        ("fc.forward:stream_length=99999999", ("2 to ",)),
        ("fc.forward:mac=x,stream_length=-8", ("'stream_length=-8'",)),
    ],
)
def test_a_text_that_is_none_is_refused_with_what_there_is(
    rule: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as caught:
        planned(rule)
    assert caught.value.where == "--product" and all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("8:3", "3 epochs, but --epochs is 3; expected fewer"),
        ("8:2,16:2", "4 epochs, but --epochs is 3"),
        ("8:1000000000000", "1000000000000 epochs, but --epochs is 3"),
        ("8", "'8': expected BITS:EPOCHS"),
        ("8:0", "1 or more epochs"),
        ("1:1", "with 2 to"),
        ("a:b", "'a:b'"),
    ],
)
def test_a_schedule_that_is_none_or_leaves_no_epoch_is_refused(schedule: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        planned(schedule=schedule)
    assert caught.value.where == "--schedule"


def test_parts_of_a_plan_become_binary() -> None:
    plan = planned("fc.forward:mac=x", "out.weight_gradient:mac=binary")[-1]
    forward, binary_update = plan.forward_only(), plan.with_binary_update()
    for place, setting in plan.settings.items():
        kept = setting if place[1] == "forward" else Setting(BINARY, 0)
        assert forward[place] == kept
        assert binary_update[place] == (Setting(BINARY, 0) if place[1] == "update" else setting)
    assert plan.streamed and forward.streamed
    assert not planned("*.*:mac=binary")[-1].streamed
    assert not planned("*.forward:mac=binary")[-1].forward_only().streamed


@pytest.fixture(scope="module")
def cells(shared_cells: Path) -> Cells:
    return read_cells(shared_cells)


@pytest.fixture(scope="module")
def network_layers() -> tuple[Layer, ...]:
    return layers_of(build_network("cnn2", np.random.default_rng(0), 8, 10))


def arithmetics(made: Made, layers: tuple[Layer, ...]) -> dict[tuple[str, str], Arithmetic | None]:
    """Of every (layer, product)."""
    return {
        (layer.name, name): made.updates[layer.name]
        if name == "update"
        else getattr(made.products[layer.name], name)
        for layer in layers
        for name in PRODUCTS
    }


@pytest.mark.parametrize("mode", ["moments", "exact"])
@pytest.mark.parametrize("place", list(combinations(("conv", "fc"), PRODUCTS)))
def test_every_product_is_switched_on_its_own(
    cells: Cells,
    generators: Generators,
    network_layers: tuple[Layer, ...],
    place: tuple[str, str],
    mode: str,
) -> None:
    """To plain arithmetic, another MAC, another length: that product alone changes."""
    shop = Workshop(cells, generators, DEFAULT_RULES, mode)

    def found(*rules: str) -> dict[tuple[str, str], Arithmetic | None]:
        plan = plans(("conv", "fc"), mac=COUNTER, length=64, rules=rules, schedule="", epochs=1)[0]
        return arithmetics(shop.make(plan, network_layers), network_layers)

    usual, text = found(), ".".join(place)
    kind = BitExact if mode == "exact" else SignMagnitudeCounter
    assert all(isinstance(one, kind) for one in usual.values())
    assert len({id(one) for one in usual.values()}) == 1  # equal settings share one object
    binary, mux, short = (
        found(f"{text}:{change}") for change in ("mac=binary", f"mac={MUX}", "stream_length=8")
    )
    for other in (binary, mux, short):
        assert [where for where in usual if other[where] is not usual[where]] == [place]
    if place[1] == "update":
        assert binary[place] is None
    else:
        assert isinstance(binary[place], Float)
    streamed = [getattr(one, "like", one) for one in (mux[place], short[place])]
    assert isinstance(streamed[0], BipolarMux) and streamed[0].length == 64
    assert isinstance(streamed[1], SignMagnitudeCounter) and streamed[1].length == 8
    assert (mux[place].encoding, mux[place].adder) == ("bipolar", "mux")  # type: ignore[union-attr]


def test_the_image_needs_no_gradient_and_an_unknown_mac_is_refused(
    cells: Cells, generators: Generators, network_layers: tuple[Layer, ...]
) -> None:
    shop = Workshop(cells, generators, DEFAULT_RULES, "moments")
    plan = plans(("conv", "fc"), mac=COUNTER, length=64, rules=(), schedule="", epochs=1)[0]
    made = shop.make(plan, network_layers)
    needs = {name: product.needs_input_gradient for name, product in made.products.items()}
    assert needs == {"conv": False, "fc": True}
    rules = ("fc.update:mac=analog",)
    plan = plans(("conv", "fc"), mac=COUNTER, length=64, rules=rules, schedule="", epochs=1)[0]
    with pytest.raises(InputError, match=r"analog.*bipolar_mux"):
        shop.make(plan, network_layers)
