"""How JAX compiles the steps of a training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax


def compiled(function: Callable[..., Any], donate: tuple[int, ...] = ()) -> Callable[..., Any]:
    """jit, giving away the memory of the arguments ``donate``.

    On CPU, XLA drops optimization barriers before it fuses; here they must stay.
    """
    options = None
    if jax.default_backend() == "cpu":
        options = {"xla_disable_hlo_passes": "cse_barrier_expander"}
    return jax.jit(function, donate_argnums=donate, compiler_options=options)
