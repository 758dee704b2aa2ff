"""Memory that one step frees is there for the next."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ALLOCATION = Path(__file__).resolve().parents[2] / "system" / "train" / "allocation.py"

PROGRAM = """
import resource, runpy, sys
assert runpy.run_path(sys.argv[1])["keep_freed_memory"]()
import numpy as np

def faults() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2**24).sum()  # 128 MB, 32,768 pages
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

first = faults()
print(first, min(faults() for _ in range(5)))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_a_large_array_costs_page_faults_once_only() -> None:
    """Huge pages would make the first count small too; so only the later one is held."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ALLOCATION)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout.split()[1]) < 100
