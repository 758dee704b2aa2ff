"""Keeping the memory of one step for the next.

XLA takes a computation's temporary memory from malloc in one piece and gives it back afterwards.
Large pieces glibc passes on to the kernel each time, which hands out zeroed pages anew, one fault
for every 4 kB: 40 % of the processor time of a training step with 128 images (measured). Told not
to, glibc keeps them; but only its main arena can hold pieces above 64 MB, so all threads must use
that one.
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_KEPT_BYTES = 2**30
"""Freed memory above this much still goes back to the kernel."""


def keep_freed_memory() -> bool:
    """Let this process keep what it frees; whether it could (glibc only, nothing elsewhere).

    To be called before JAX starts its threads: they keep the arena they first allocate from.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    wanted = {_M_ARENA_MAX: 1, _M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: _KEPT_BYTES}
    return all(mallopt(option, value) == 1 for option, value in wanted.items())
