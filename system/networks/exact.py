"""A network's forward pass bit by bit, outside JAX's compiler.

Only the encoding and what comes between the layers is JAX; the streams are numpy and Numba. As in
training, scales follow the batch, so an image's logits depend on which images it comes with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from system.arithmetic import Arithmetic, Deviation, Devices, Operand
from system.arithmetic.exact import BitExact
from system.bitstream.encodings import Encoded
from system.kernels.philox import philox_definition
from system.networks.lenet5 import LeNet5, between, linear_layers


def exact_logits(
    arithmetic: BitExact,
    network: LeNet5,
    images: np.ndarray,
    devices: Sequence[Devices],
    keys: np.ndarray,
    on_part: Callable[[str], None] = lambda part: None,
) -> np.ndarray:
    """Logits (images, classes) of ``images`` (images, 28, 28) in [0, 1].

    ``keys`` (layers, 2) uint32: one key for each layer and batch, see :func:`layer_keys`.
    ``on_part`` is told when a part is over: "encode", "layer" or "between".
    """
    classes = network.layers[-1].bias.size
    x: jax.Array = jnp.asarray(images)[:, None]
    for index, linear in enumerate(linear_layers(classes)):
        layer = network.layers[index]
        a = _encoded(arithmetic, x, devices[index].x)
        b = _encoded(arithmetic, layer.weight, devices[index].w)
        scale = np.asarray(a.scale * b.scale)
        left, right = (Encoded(np.asarray(o.probability), np.asarray(o.sign)) for o in (a, b))
        on_part("encode")
        values = arithmetic.layers.values(linear, "forward", left, right, keys[index])
        on_part("layer")
        x = _between(index, jnp.asarray(scale * values.astype(np.float32)), layer.bias)
        x.block_until_ready()
        on_part("between")
    return np.asarray(x)


def layer_keys(key: np.ndarray, layers: int, batch: int = 0) -> np.ndarray:
    """Keys (layers, 2) uint32 of the layers for one batch, from one key (2,) uint32."""
    first, _ = philox_definition((np.arange(layers), batch, 0, 0), (int(key[0]), int(key[1])))
    return np.stack([first & np.uint64(0xFFFFFFFF), first >> np.uint64(32)], 1).astype(np.uint32)


@eqx.filter_jit
def _encoded(arithmetic: Arithmetic, values: jax.Array, devices: Deviation | None) -> Operand:
    return arithmetic.encode(values, devices)


_between = jax.jit(between, static_argnums=0)
