"""JAX told to compile quickly, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def compiling_quickly(folder: Path) -> Iterator[None]:
    """Compile with few optimisations, and take what was compiled before from a folder of JAX's.

    Compiling is nearly all of the time of a tiny training. That a step gives the same with all
    optimisations is a test of its own, in ``system_train/test_step.py``.
    """
    import jax  # not before a test needs it
    from jax.experimental.compilation_cache import compilation_cache

    settings = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
        "jax_disable_most_optimizations": True,
    }
    before = {name: jax.config.values[name] for name in settings}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            jax.config.update(name, value)
            patch.setenv(name.upper(), str(value))  # for processes started by tests
        compilation_cache.reset_cache()
        yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()
