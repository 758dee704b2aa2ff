"""A network's forward pass bit by bit, outside JAX's compiler.

Only the encoding and what comes between the layers is JAX; the streams are numpy and Numba.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from system.arithmetic import Arithmetic, Deviation, Devices, Operand, Scales
from system.arithmetic.exact import BitExact
from system.arithmetic.noise import Tape
from system.bitstream.encodings import Encoded
from system.kernels.philox import philox_definition
from system.networks.layer import Layer


@dataclass(frozen=True)
class ExactProducts:
    """A batch through a network; ``arithmetics``, ``devices``, ``scales`` and ``keys`` by layer.

    A layer whose arithmetic is no stochastic one is computed in it.
    ``on_part`` is told when a part is over: "encode", "layer" (what is between the layers is over
    with the next one's "encode").
    """

    arithmetics: Mapping[str, Arithmetic]
    devices: Mapping[str, Devices]
    scales: Mapping[str, Scales]
    keys: Mapping[str, np.ndarray]
    on_part: Callable[[str], None] = lambda part: None

    def __call__(self, layer: Layer, x: jax.Array) -> jax.Array:
        name = layer.name
        arithmetic, devices, scales = self.arithmetics[name], self.devices[name], self.scales[name]
        a = _encoded(arithmetic, x, devices.x, scales.x)
        b = _encoded(arithmetic, layer.weight, devices.w, scales.w)
        if not isinstance(arithmetic, BitExact):
            return arithmetic.forward(layer.linear, a, b, Tape(jnp.zeros(0, jnp.uint32)))
        scale = np.asarray(a.scale * b.scale)
        left, right = (Encoded(np.asarray(o.probability), np.asarray(o.sign)) for o in (a, b))
        self.on_part("encode")
        values = arithmetic.layers.values(layer.linear, "forward", left, right, self.keys[name])
        self.on_part("layer")
        return jnp.asarray(scale * values.astype(np.float32))


def layer_keys(key: np.ndarray, names: tuple[str, ...], batch: int = 0) -> dict[str, np.ndarray]:
    """Keys (2,) uint32 of the layers for one batch, from one key (2,) uint32."""
    first, _ = philox_definition((np.arange(len(names)), batch, 0, 0), (int(key[0]), int(key[1])))
    keys = np.stack([first & np.uint64(0xFFFFFFFF), first >> np.uint64(32)], 1).astype(np.uint32)
    return dict(zip(names, keys, strict=True))


@eqx.filter_jit
def _encoded(
    arithmetic: Arithmetic, values: jax.Array, devices: Deviation | None, scale: jax.Array
) -> Operand:
    return arithmetic.encode(values, devices, scale)
