"""Networks of any size from our layers or a user's file; what cannot be trained is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from formats.errors import InputError
from system.networks import (
    Layer,
    Products,
    build_network,
    layers_of,
    network_sha256,
    with_layers,
)
from system.networks.between import SATURATION
from system.train.learning import draw_devices, scales_of
from system.train.plan import in_float


def built(name: str, side: int, classes: int = 10) -> tuple[Layer, ...]:
    return layers_of(build_network(name, np.random.default_rng(0), side, classes))


def test_lenet5_has_its_published_size() -> None:
    layers = built("lenet5", 28)
    assert [layer.name for layer in layers] == ["conv1", "conv2", "fc1", "fc2", "fc3"]
    assert [layer.parameters for layer in layers] == [156, 2_416, 48_120, 10_164, 850]
    assert sum(layer.parameters for layer in layers) == 61_706
    macs = [layer.linear.macs for layer in layers]
    assert macs == [117_600, 240_000, 48_000, 10_080, 840] and sum(macs) == 416_520
    assert [layer.from_image for layer in layers] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("name", "side", "classes", "parameters"),
    [
        ("mlp", 8, 10, 64 * 128 + 128 + 128 * 10 + 10),
        ("mlp", 28, 26, 784 * 128 + 128 + 128 * 26 + 26),
        ("cnn2", 8, 10, 25 * 8 + 8 + 8 * 16 * 10 + 10),
        ("cnn2", 9, 62, 25 * 8 + 8 + 8 * 16 * 62 + 62),  # an odd last row is left out
        ("lenet-wide", 28, 10, 80_016 + 16 + 32 + 128 + 10),
        ("lenet5", 14, 10, 156 + 2_416 + (16 * 1 * 120 + 120) + 10_164 + 850),
        ("lenet5", 32, 62, 156 + 2_416 + (16 * 36 * 120 + 120) + 10_164 + 84 * 62 + 62),
    ],
)
def test_networks_fit_any_side_and_number_of_classes(
    name: str, side: int, classes: int, parameters: int
) -> None:
    assert sum(layer.parameters for layer in built(name, side, classes)) == parameters


@pytest.mark.parametrize(
    ("name", "side", "least"), [("lenet5", 13, 14), ("lenet-wide", 15, 16), ("cnn2", 3, 4)]
)
def test_images_too_small_are_refused(name: str, side: int, least: int) -> None:
    with pytest.raises(InputError, match=f"{name} takes images of {least}x{least} pixels"):
        built(name, side)
    assert built(name, least)


USERS = '''
from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp

from system.arithmetic import Convolution, Dense
from system.networks import Layer
from system.networks.between import flatten, max_pool, saturate


class Branches(eqx.Module):
    """A block with a way around it, beside a dense branch from the image."""

    seen: Layer
    inner: tuple[Layer, ...]
    beside: Layer
    out: Layer
    factor: float = eqx.field(static=True)

    @classmethod
    def initial(cls, generator, side, classes):
        first = Convolution(1, side, 3, 3, padding=1)
        same = Convolution(3, side // 2, 3, 3, padding=1)
        return cls(
            Layer.initial("seen", first, generator, True),
            (Layer.initial("inner", same, generator),),
            Layer.initial("beside", Dense(side**2, 8), generator, True),
            Layer.initial("out", Dense(3 * (side // 2) ** 2 + 8, classes), generator),
            0.5,
        )

    def __call__(self, images, run):
        x = saturate(max_pool(self.seen(images[:, None], run)))
        for layer in self.inner:
            x = saturate(x + self.factor * layer(x, run))
        beside = saturate(self.beside(flatten(images), run))
        return self.out(jnp.concatenate([flatten(x), beside], axis=1), run)
'''


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("own") / "branches.py"
    path.write_text(USERS)
    return f"{path}:Branches"


def plain_convolution(x: jax.Array, layer: Layer) -> jax.Array:
    """By JAX's own, with weights (channels x rows x columns, outputs)."""
    kernel = layer.weight.T.reshape(-1, x.shape[1], 3, 3)
    made = jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME")
    return made + layer.bias[:, None, None]


def by_jax(network: Any, images: jax.Array) -> jax.Array:
    """The user's network, written without our layers."""
    x = plain_convolution(images[:, None], network.seen)
    n, channels, side, _ = x.shape
    x = x.reshape(n, channels, side // 2, 2, side // 2, 2).max(axis=(3, 5)).clip(0, SATURATION)
    x = (x + 0.5 * plain_convolution(x, network.inner[0])).clip(0, SATURATION)
    beside = images.reshape(n, -1) @ network.beside.weight + network.beside.bias
    row = jnp.concatenate([x.reshape(n, -1), beside.clip(0, SATURATION)], axis=1)
    return row @ network.out.weight + network.out.bias


def test_a_users_network_has_the_derivatives_of_jax(users: str) -> None:
    """Two branches and a way around a layer: plain arithmetic gives logits and gradients."""
    rng = np.random.default_rng(5)
    network = build_network(users, rng, 6, 4)
    layers = layers_of(network)
    assert [layer.name for layer in layers] == ["seen", "inner", "beside", "out"]
    images = jnp.asarray(rng.uniform(0, 1, (3, 6, 6)), jnp.float32)
    wanted = jnp.asarray(rng.normal(size=(3, 4)), jnp.float32)
    products, devices = in_float(layers).products, draw_devices(None, 1, layers)
    scales = scales_of(np.zeros((len(layers), 6), int), layers)
    probes = {name: product.probe(devices[name]) for name, product in products.items()}

    def ours(network: Any) -> jax.Array:
        run = Products.of(products, devices, scales, probes, jax.random.key(0), 3)
        return jnp.sum(wanted * network(images, run))

    def theirs(network: Any) -> jax.Array:
        return jnp.sum(wanted * by_jax(network, images))

    found, slope = jax.jit(jax.value_and_grad(ours))(network)
    logits, reference = jax.jit(jax.value_and_grad(theirs))(network)
    assert float(found) == pytest.approx(float(logits), rel=1e-5)
    for one, other in zip(jax.tree.leaves(slope), jax.tree.leaves(reference), strict=True):
        assert np.allclose(one, other, atol=2e-5) and float(jnp.max(jnp.abs(other))) > 0


def test_layers_go_back_where_they_came_from(users: str) -> None:
    network = build_network(users, np.random.default_rng(0), 6, 4)
    layers = layers_of(network)
    again = with_layers(network, layers)
    trees: list[Any] = [jax.tree.structure(one) for one in (again, network)]
    assert trees[0] == trees[1]
    assert all(a is b for a, b in zip(layers_of(again), layers, strict=True))


def test_the_files_hash_follows_its_content(users: str) -> None:
    path = Path(users.rpartition(":")[0])
    before = network_sha256(users)
    path.write_text(USERS + "# more\n")
    assert before is not None and network_sha256(users) != before
    path.write_text(USERS)
    assert network_sha256(users) == before and network_sha256("mlp") is None


HEAD = """
import equinox as eqx
import jax
import jax.numpy as jnp
from typing import Any
from system.arithmetic import Dense
from system.networks import Layer


class Net(eqx.Module):
    a: Layer
    b: Layer
    more: Any = None

    @classmethod
    def initial(cls, generator, side, classes):
        a = Layer.initial("a", Dense(side**2, 5), generator, True)
        return cls(a, Layer.initial("b", Dense(5, classes), generator))

    def __call__(self, images, run):
        return self.b(self.a(images.reshape(images.shape[0], -1), run), run)
"""


def edited(old: str, new: str) -> Callable[[], str]:
    def text() -> str:
        assert HEAD.count(old) == 1
        return HEAD.replace(old, new)

    return text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (edited('"b", Dense', '"a", Dense'), "two layers named 'a'"),
        (
            edited("self.b(self.a(", "self.b(self.b(self.a("),
            "'b' takes (5,) from each image, not (10,)",
        ),
        (
            edited("return self.b(self.a(", "self.a(images.reshape(2, -1), run)\n"
                   "        return self.b(self.a("),
            "'a' is called twice",
        ),
        (
            edited("return self.b(self.a(images.reshape(images.shape[0], -1), run), run)",
                   "return jnp.zeros((2, 10)) + self.a(images.reshape(2, -1), run)[:, :1]"),
            "'b' is never called",
        ),
        (edited("Dense(5, classes)", "Dense(5, classes + 1)"), "(2, 11) logits for 2 images"),
        (edited("self.a(images.reshape(images.shape[0], -1)", "self.a(images"), "takes (16,)"),
        (edited("more: Any = None", "more: Any = jax.nn.relu"), "eqx.field(static=True)"),
        (edited("more: Any = None", "more: float = 0.5"), "eqx.field(static=True)"),
        (edited("    a = ", "    a = {}['no']; a = "), "KeyError"),
        (edited("def initial", "def other"), "initial"),
        (edited("class Net", "import absent_module\n\nclass Net"), "ModuleNotFoundError"),
        (edited("class Net", "class Another"), "has no 'Net'"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused(
    tmp_path: Path, text: Callable[[], str], words: str
) -> None:
    path = tmp_path / "net.py"
    written = text()
    if "self.b(self.b(" in written:
        written = written.replace("run), run)", "run), run), run)")
    path.write_text(written)
    with pytest.raises(InputError) as caught:
        build_network(f"{path}:Net", np.random.default_rng(0), 4, 10)
    assert caught.value.where == "--network" and words in str(caught.value)


def test_the_same_file_without_the_edits_is_taken(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(HEAD)
    assert build_network(f"{tmp_path / 'net.py'}:Net", np.random.default_rng(0), 4, 10)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet", "expected lenet5, lenet-wide, cnn2, mlp, mlp3 or FILE.py:NAME"),
        ("net.py", "FILE.py:NAME"),
        ("absent.py:Net", "absent.py: no such file"),
    ],
)
def test_names_of_no_network_are_refused(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        build_network(name, np.random.default_rng(0), 8, 10)
    assert caught.value.where == "--network"
