"""The layer networks are made of, and the pass that carries a batch through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from system.arithmetic import Devices, Linear, Product, Scales, Seen
from system.arithmetic.noise import random_words


class Run(Protocol):
    """How the products of a batch are made."""

    def __call__(self, layer: Layer, x: jax.Array) -> jax.Array:
        """The products of ``layer`` with activations x, before the bias."""


class Layer(eqx.Module):
    """Weights (taps, outputs) and biases (outputs) of one layer of a network, under its name.

    ``from_image`` says that its input is the image, which needs no gradient.
    """

    weight: jax.Array
    bias: jax.Array
    name: str = eqx.field(static=True)
    linear: Linear = eqx.field(static=True)
    from_image: bool = eqx.field(static=True, default=False)

    @classmethod
    def initial(
        cls, name: str, linear: Linear, generator: np.random.Generator, from_image: bool = False
    ) -> Layer:
        """He's uniform weights (He et al., ICCV 2015) and zero biases."""
        taps, outputs = linear.weight_shape
        bound = np.sqrt(6 / taps)
        weight = generator.uniform(-bound, bound, (taps, outputs)).astype(np.float32)
        return cls(jnp.asarray(weight), jnp.zeros(outputs), name, linear, from_image)

    def __call__(self, x: jax.Array, run: Run) -> jax.Array:
        """Outputs of activations x (images, ...), with the bias, which is added in binary."""
        made = run(self, x)
        return made + self.bias.reshape(-1, *(1,) * (made.ndim - 2))

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.weight.size + self.bias.size


def layers_of(network: Any) -> tuple[Layer, ...]:
    """The layers in the order of the module's fields; ValueError where two have one name.

    Also for values outside of them, which nothing would train, in fields that are not static.
    """
    parts = jax.tree.leaves(network, is_leaf=lambda part: isinstance(part, Layer))
    layers = [part for part in parts if isinstance(part, Layer)]
    others = [part for part in parts if not isinstance(part, Layer)]
    names = [layer.name for layer in layers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{type(network).__name__} has two layers named {twice[0]!r}")
    if others or not layers:
        raise ValueError(
            f"{type(network).__name__} has {len(layers)} layers and {len(others)} values outside "
            "of layers; expected at least one Layer, and fields of other things to be static "
            "(eqx.field(static=True))"
        )
    return tuple(layers)


def with_layers(network: Any, layers: Sequence[Layer]) -> Any:
    """The network with other parameters in its layers, in the order of :func:`layers_of`."""
    tree = jax.tree.structure(network, is_leaf=lambda part: isinstance(part, Layer))
    return jax.tree.unflatten(tree, list(layers))


class Part(NamedTuple):
    """What one layer's products of a batch take."""

    product: Product
    devices: Devices
    scales: Scales
    words: tuple[jax.Array, jax.Array]
    probe: Seen


@dataclass(frozen=True)
class Products:
    """A batch through a network, layer by layer, by name.

    Raises ValueError for a layer that is not the network's, or is called twice.
    """

    parts: dict[str, Part]

    @classmethod
    def of(
        cls,
        products: Mapping[str, Product],
        devices: Mapping[str, Devices],
        scales: Mapping[str, Scales],
        probes: Mapping[str, Seen],
        key: jax.Array,
        images: int,
    ) -> Products:
        """With random words of a ``key``: those of all layers from one call for each direction."""
        counts = [product.words(images) for product in products.values()]
        directions = []
        for part, sizes in zip(jax.random.split(key), zip(*counts, strict=True), strict=True):
            words = random_words(part, sum(sizes))
            ends = np.cumsum(sizes)
            directions.append([words[end - n : end] for end, n in zip(ends, sizes, strict=True)])
        both = zip(*directions, strict=True)
        return cls(
            {
                name: Part(products[name], devices[name], scales[name], words, probes[name])
                for name, words in zip(products, both, strict=True)
            }
        )

    def __call__(self, layer: Layer, x: jax.Array) -> jax.Array:
        if layer.name not in self.parts:
            raise ValueError(f"the layer {layer.name!r} is called twice, or is not in the network")
        part = self.parts.pop(layer.name)
        shape = layer.linear.input_shape
        if x.shape[1:] != shape:
            raise ValueError(
                f"the layer {layer.name!r} takes {shape} from each image, not {x.shape[1:]}"
            )
        return part.product(x, layer.weight, part.devices, part.scales, part.words, part.probe)
