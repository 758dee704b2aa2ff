"""The network a run trains: one of ours by name, or a user's own from a Python file."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from formats.errors import InputError
from formats.paths import is_file
from formats.provenance import sha256_file
from system.networks.cnn2 import CNN2
from system.networks.layer import layers_of
from system.networks.lenet5 import LeNet5
from system.networks.lenet_wide import WideLeNet
from system.networks.mlp import MLP
from system.networks.mlp3 import MLP3

NETWORKS: dict[str, Any] = {
    "lenet5": LeNet5,
    "lenet-wide": WideLeNet,
    "cnn2": CNN2,
    "mlp": MLP,
    "mlp3": MLP3,
}


def build_network(name: str, generator: np.random.Generator, side: int, classes: int) -> Any:
    """Fresh parameters of the network called ``name``, for images of ``side`` x ``side`` pixels.

    ``name`` is one of ``NETWORKS`` or ``FILE.py:NAME``, whose NAME has a function
    ``initial(generator, side, classes)`` that gives an equinox module made of our layers. Raises
    :class:`InputError` where there is none, or it does not fit the images.
    """
    kind = NETWORKS[name] if name in NETWORKS else _loaded(name)
    try:
        network = kind.initial(generator, side, classes)
        shape = _logits(network, side)
        if name not in NETWORKS:
            _check_images(network, side)
    except ValueError as error:
        raise InputError("--network", f"{name}: {error}") from error
    except Exception as error:  # of a user's own code
        if name in NETWORKS:
            raise
        raise InputError("--network", f"{name}: {type(error).__name__}: {error}") from error
    if shape != (2, classes):
        raise InputError(
            "--network", f"{name} gives {shape} logits for 2 images, expected (2, {classes})"
        )
    return network


def network_sha256(name: str) -> str | None:
    """Hash of the file a user's network comes from; None for ours."""
    return None if name in NETWORKS else sha256_file(_file_of(name)[0])


def _logits(network: Any, side: int) -> tuple[int, ...]:
    """Shape of the logits of two images, without computing them."""
    layers = {layer.name: layer for layer in layers_of(network)}

    def shaped(layer: Any, x: jax.Array) -> jax.Array:
        if x.shape[1:] != layer.linear.input_shape:
            raise ValueError(
                f"the layer {layer.name!r} takes {layer.linear.input_shape} from each image, not "
                f"{x.shape[1:]}"
            )
        if layers.pop(layer.name, None) is None:
            raise ValueError(f"the layer {layer.name!r} is called twice")
        return jnp.zeros((x.shape[0], *layer.linear.output_shape))

    found = jax.eval_shape(
        lambda x: network(x, shaped), jax.ShapeDtypeStruct((2, side, side), "f4")
    )
    if layers:
        raise ValueError(f"the layer {next(iter(layers))!r} is never called")
    return tuple(found.shape)


def _check_images(network: Any, side: int) -> None:
    """Raise ValueError for a layer that says ``from_image`` wrongly.

    What comes from a layer is made NaN, and so is all that is computed from it.
    """

    def marked(layer: Any, x: jax.Array) -> jax.Array:
        fed = bool(jnp.any(jnp.isnan(x)))
        if fed and layer.from_image:
            raise ValueError(
                f"the layer {layer.name!r} has from_image=True, but its input comes from another "
                "layer, which would get no gradient"
            )
        if not fed and not layer.from_image:
            raise ValueError(
                f"the input of the layer {layer.name!r} is the image: give it from_image=True"
            )
        return jnp.full((x.shape[0], *layer.linear.output_shape), jnp.nan)

    network(jnp.zeros((2, side, side)), marked)


def _file_of(name: str) -> tuple[Path, str]:
    path, _, wanted = name.rpartition(":")
    if not path.endswith(".py") or not wanted:
        raise InputError(
            "--network", f"is {name!r}; expected {', '.join(NETWORKS)} or FILE.py:NAME"
        )
    if not is_file(path):
        raise InputError("--network", f"{path}: no such file")
    return Path(path), wanted


def _loaded(name: str) -> Any:
    path, wanted = _file_of(name)
    spec = importlib.util.spec_from_file_location(f"network of {path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their own module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError("--network", f"{path}: {type(error).__name__}: {error}") from error
    kind = getattr(module, wanted, None)
    if kind is None:
        raise InputError("--network", f"{path} has no {wanted!r}")
    return kind
