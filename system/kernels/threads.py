"""Several threads for loops that release the GIL.

Numba's own ``prange`` compiles everything a loop calls twice more, which for the large loops of
this folder takes longer than many a run. The threads are as many as Numba would use
(``numba.set_num_threads``).
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np


def in_threads(function: Callable[..., None], tasks: np.ndarray, *arguments: Any) -> None:
    """Call ``function(some of the tasks, *arguments)`` until all are done; tasks: along axis 0.

    Every thread takes every n-th task. The function must write to places of its own tasks only;
    then the result does not depend on the number of threads. It must not call ``in_threads``.
    Raises what the function raises, once all threads are done.
    """
    threads = min(numba.get_num_threads(), tasks.shape[0])
    if threads <= 1:
        function(tasks, *arguments)
        return
    pool = _pool(os.getpid(), threads - 1)
    # Contiguous, or Numba compiles what they are for once more.
    parts = [np.ascontiguousarray(tasks[n::threads]) for n in range(threads)]
    others = [pool.submit(function, part, *arguments) for part in parts[1:]]
    try:
        function(parts[0], *arguments)
    finally:
        failures = [other.exception() for other in others]
    for failure in failures:
        if failure is not None:
            raise failure


@functools.cache
def _pool(_process: int, threads: int) -> ThreadPoolExecutor:
    """Threads that stay: starting them takes as long as a small product. Not kept over a fork."""
    return ThreadPoolExecutor(threads, "stochram")
