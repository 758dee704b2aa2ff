"""Numpy within compiled JAX: a function of arrays that is called with numpy arrays, and no JAX.

``jax.pure_callback`` hands JAX arrays to the function. On the CPU these are copies made in the
thread pool that also runs the program; where all its threads wait for a callback (one processor
is enough) none is left to make the copy, and the program hangs (jax issues 24255, 25861). Turning
asynchronous dispatch off avoids that, but makes all other training slower. Here the function gets
the program's own buffers, read-only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import jax
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import mlir

from formats.interrupts import INTERRUPTS

_ONE_AT_A_TIME = threading.Lock()
"""Independent calls may come at once, but Numba's threads serve one caller."""
_primitive = Primitive("numpy_call")
_interrupted = threading.Event()


def call_numpy(
    function: Callable[..., np.ndarray], shape: tuple[int, ...], *arguments: jax.Array
) -> jax.Array:
    """float32 result of ``shape`` of a function of numpy arrays that has no side effects.

    It can be compiled, but not differentiated or mapped (``vmap``). The call is repeated or left
    out as the compiler sees fit.
    """
    result: jax.Array = _primitive.bind(*arguments, function=function, shape=shape)
    return result


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C within a function called from compiled JAX comes out as KeyboardInterrupt."""
    _interrupted.clear()
    try:
        yield
    except Exception as error:
        if _interrupted.is_set():
            raise KeyboardInterrupt from error
        raise


@_primitive.def_impl
def _alone(*arguments: jax.Array, **parameters: Any) -> jax.Array:
    result: jax.Array = jax.jit(partial(_primitive.bind, **parameters))(*arguments)
    return result


@_primitive.def_abstract_eval
def _shaped(*_: Any, function: Callable[..., np.ndarray], shape: tuple[int, ...]) -> ShapedArray:
    return ShapedArray(shape, np.dtype(np.float32))


def _lowered(
    context: mlir.LoweringRuleContext,
    *arguments: Any,
    function: Callable[..., np.ndarray],
    shape: tuple[int, ...],
) -> Sequence[Any]:
    def called(*buffers: Any) -> tuple[np.ndarray]:
        try:
            with _ONE_AT_A_TIME:
                return (np.asarray(function(*map(np.asarray, buffers)), np.float32),)
        except INTERRUPTS:
            _interrupted.set()  # JAX makes another exception of it
            raise

    results, _, _ = mlir.emit_python_callback(
        context,
        called,
        None,
        list(arguments),
        cast(Sequence[ShapedArray], context.avals_in),
        cast(Sequence[ShapedArray], context.avals_out),
        has_side_effect=False,
        returns_token=False,
    )
    return results


mlir.register_lowering(_primitive, _lowered, cacheable=False)
