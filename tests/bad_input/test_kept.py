"""What the program keeps for itself: a broken cache or checkpoint is made anew, never believed."""

from __future__ import annotations

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.ngspice.cache import Cache
from circuits.ngspice.waveforms import Waveforms
from formats.provenance import sha256_bytes
from system.train.checkpoint import Checkpoints, load, save
from tests.bad_input.damage import as_json, cases, changed, damaged, judged

KEY = "ab" + "0" * 62
WAVES = Waveforms(np.arange(5.0), {"v(out)": np.arange(5.0) ** 2, "i": np.ones(2)}, "said", "")
STATE = {"weight": jnp.arange(6.0).reshape(2, 3), "steps": 3, "rate": 0.5}


def same(a: Waveforms, b: Waveforms) -> bool:
    return (
        np.array_equal(a.time, b.time)
        and list(a.vectors) == list(b.vectors)
        and all(np.array_equal(a.vectors[name], b.vectors[name]) for name in a.vectors)
        and (a.log, a.rescued) == (b.log, b.rescued)
    )


def test_a_damaged_result_of_ngspice_is_simulated_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write(KEY, WAVES)
    whole = cache.path(KEY).read_bytes()

    @cases(250)
    @given(damaged(whole))
    def each(content: bytes) -> None:
        cache.path(KEY).write_bytes(content)
        found = cache.read(KEY)
        assert found is None or same(found, WAVES)

    each()


def test_a_result_larger_than_the_cache_is_not_unpacked(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=10_000)
    waves = Waveforms(np.zeros(10_000), {}, "", "")
    Cache(tmp_path).write(KEY, waves)
    assert cache.path(KEY).stat().st_size < 10_000
    assert cache.read(KEY) is None


def test_a_folder_in_place_of_a_result_is_no_result(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.path(KEY).mkdir(parents=True)
    assert cache.read(KEY) is None
    cache.write(KEY, WAVES)


def test_a_damaged_checkpoint_starts_the_run_anew(tmp_path: Path) -> None:
    said: list[str] = []
    kept = Checkpoints(tmp_path, "key", said.append)
    kept.save("run", 2, STATE)
    whole = kept.path("run").read_bytes()

    @cases(250)
    @given(damaged(whole))
    def each(content: bytes) -> None:
        kept.path("run").write_bytes(content)
        judged(lambda path: load(path, STATE), kept.path("run"))
        found = kept.resume("run", STATE)
        assert found is None or (found[0] == 2 and jnp.array_equal(found[1]["weight"], WEIGHT))

    each()


WEIGHT = STATE["weight"]


def test_a_checkpoint_of_anything_with_a_right_hash_is_read_or_refused(tmp_path: Path) -> None:
    """Made on purpose: the sum of the content is right, the content and the header are not."""
    path = tmp_path / "run.eqx"
    save(path, {"key": "key", "run": "run", "epochs": 2}, STATE)
    line, _, content = path.read_bytes().partition(b"\n")
    first = json.loads(line)

    @cases(150)
    @given(damaged(content), changed(first))
    def each(body: bytes, header: object) -> None:
        for head in (first, header):
            sealed = {**head, "sha256": sha256_bytes(body)} if isinstance(head, dict) else head
            path.write_bytes(as_json(sealed) + b"\n" + body)
            judged(lambda path: load(path, STATE), path)
            Checkpoints(tmp_path, "key", lambda _: None).resume("run", STATE)

    each()


@pytest.mark.parametrize("content", [b"", b"[" * 10**5, b"{}", b"[1]\n", b'{"format": 1}\n'])
def test_what_is_no_checkpoint_is_said(tmp_path: Path, content: bytes) -> None:
    said: list[str] = []
    kept = Checkpoints(tmp_path, "key", said.append)
    kept.path("run").write_bytes(content)
    assert kept.resume("run", STATE) is None
    assert "run starts anew" in said[0]
    kept.path("run").unlink()
    kept.path("run").mkdir()
    assert kept.resume("run", STATE) is None
    kept.remove()


@cases(100)
@given(st.data())
def test_times_of_a_sweep_are_read_or_left_out(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    from types import SimpleNamespace

    from system.sweep.cell import TIME_FILE, Cell, finished, time_of

    folder = tmp_path_factory.getbasetemp()
    whole = {"key": "key", "seconds": 3.5, "images": 100}
    content = data.draw(st.one_of(damaged(as_json(whole)), changed(whole).map(as_json)))
    (folder / TIME_FILE).write_bytes(content)
    cell = Cell("cell", {}, SimpleNamespace(output=folder), "key", 100)
    found = time_of(cell)
    assert found is None or np.isfinite(found.seconds)
    assert finished(cell) is None


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_a_time_that_is_none_is_left_out(tmp_path: Path, text: str) -> None:
    """As a text it passes where numbers that are not finite do not."""
    from types import SimpleNamespace

    from system.sweep.cell import TIME_FILE, Cell, time_of

    whole = {"key": "key", "seconds": text, "images": 100}
    (tmp_path / TIME_FILE).write_text(json.dumps(whole))
    assert time_of(Cell("cell", {}, SimpleNamespace(output=tmp_path), "key", 100)) is None
