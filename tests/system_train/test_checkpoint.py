"""A state comes back bit for bit; what cannot be used is refused and said; a kill costs nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from formats.errors import InputError
from formats.seeds import generator
from system.train.checkpoint import Checkpoints, load, read_header, save

ROOT = Path(__file__).resolve().parents[2]


class Layer(eqx.Module):
    weight: jax.Array
    bias: jax.Array
    act: Any
    name: str = eqx.field(static=True, default="fc")


class Run(NamedTuple):
    network: tuple[Layer, ...]
    momentum: dict[str, jax.Array]
    scales: jax.Array
    wear: np.ndarray
    losses: np.ndarray
    empty: np.ndarray
    steps: np.int64
    rate: float
    warm: bool
    odd: Any


def run(fill: float = 1.0) -> Run:
    """A state with every kind of leaf, awkward values among them."""
    drawn = generator(3, "checkpoint")
    odd = np.array([np.nan, -0.0, np.inf, -np.inf, 5e-324, 0.1], np.float64) * fill
    weight = jnp.asarray(drawn.normal(size=(4, 3)) * fill, jnp.float32)
    return Run(
        network=(Layer(weight, jnp.asarray([-0.0, jnp.nan, 1e-45]), jax.nn.relu),),
        momentum={"w": weight * 3, "b": jnp.asarray(fill, jnp.bfloat16)},
        scales=jnp.asarray([[-3, 2**31 - 1]], jnp.int32),
        wear=drawn.integers(0, 2**40, (2, 5)).astype(np.int64),
        losses=odd,
        empty=np.zeros((0,), np.uint16),
        steps=np.int64(2**53 + 1),
        rate=-0.0 if fill == 1 else 0.3,
        warm=True,
        odd=[np.float32("nan"), 0.1 + 0.2, 2**62 + 1, jax.random.key_data(jax.random.key(7))],
    )


def bits(leaf: Any) -> tuple[Any, ...]:
    """Type, dtype, shape and bytes of a leaf."""
    array = np.asarray(leaf)
    return type(leaf), array.dtype, array.shape, array.tobytes()


def test_every_leaf_comes_back_bit_for_bit_with_its_type_dtype_and_shape(tmp_path: Path) -> None:
    path, state = tmp_path / "sc-seed1.eqx", run()
    header = {"epoch": 3, "losses": [0.1, -0.0, 5e-324], "key": "k", "text": "Ω\n"}
    save(path, header, state)
    like = run(fill=2.0)
    found, back = load(path, like)
    assert found == header
    assert jax.tree.structure(back) == jax.tree.structure(state)
    pairs = zip(jax.tree.leaves(state), jax.tree.leaves(back), strict=True)
    kept = [(bits(a), bits(b)) for a, b in pairs if not callable(a)]
    assert len(kept) == 15
    for before, after in kept:
        assert before == after
    assert b"pickle" not in path.read_bytes()
    assert [child.name for child in tmp_path.iterdir()] == [path.name]  # nothing temporary is left


def test_a_shape_without_values_is_enough_to_load_into(tmp_path: Path) -> None:
    layer = run().network[0]
    save(tmp_path / "a.eqx", {}, layer)
    _, back = load(tmp_path / "a.eqx", eqx.filter_eval_shape(lambda: run().network[0]))
    assert bits(back.weight) == bits(layer.weight)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda data: data[:-1], "cut off or was changed"),
        (lambda data: data[: data.index(b"\n") // 2], "cut off"),
        (lambda data: data + b"\0", "was changed"),
        (lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:], "was changed"),
        (lambda data: b"", "is not a stochram checkpoint"),
        (lambda data: b"[" * 100_000, "is not a stochram checkpoint"),
        (lambda data: b"\x93NUMPY" + data, "is not a stochram checkpoint"),
        (lambda data: data.replace(b'"version": 1', b'"version": 2', 1), "version 2"),
        (lambda data: data.replace(b'"header": {', b'"header": 1, "h": {', 1), "header"),
    ],
)
def test_a_harmed_or_foreign_file_is_refused_by_name_and_a_run_starts_anew(
    tmp_path: Path, harm: Any, words: str
) -> None:
    said: list[str] = []
    kept = Checkpoints(tmp_path, "k", said.append)
    kept.save("sc-seed1", 1, run())
    path = kept.path("sc-seed1")
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(InputError, match=words) as caught:
        load(path, run())
    assert str(path) in str(caught.value)
    assert kept.resume("sc-seed1", run()) is None
    assert "cannot be used" in said[0] and "sc-seed1 starts anew" in said[0]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"w": np.zeros(3), "z": np.zeros(3)}, r"\['v'\]"),
        ({"w": np.zeros(3), "v": np.zeros(4)}, "float64"),
        ({"w": np.zeros(3), "v": np.zeros(3, np.float32)}, "float32"),
        ({"v": np.zeros(3)}, "2 leaves where 1"),
    ],
)
def test_a_state_of_another_form_is_not_loaded(tmp_path: Path, other: Any, words: str) -> None:
    save(tmp_path / "a.eqx", {}, {"w": np.ones(3), "v": np.ones(3)})
    with pytest.raises(InputError, match=words):
        load(tmp_path / "a.eqx", other)


@pytest.mark.parametrize("leaf", ["text", np.array([None]), 2**63, jax.random.key(1)])
def test_what_would_be_lost_or_pickled_is_refused_before_anything_is_written(
    tmp_path: Path, leaf: Any
) -> None:
    with pytest.raises(TypeError):
        save(tmp_path / "a.eqx", {}, {"x": leaf})
    assert not list(tmp_path.iterdir())


def test_only_the_same_work_is_gone_on_with_and_what_happens_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    kept = Checkpoints(tmp_path / "checkpoints", "key", said.append)
    assert kept.resume("sc-seed1", run()) is None and not said  # a first run says nothing
    kept.save("sc-seed1", 2, run())
    found = kept.resume("sc-seed1", run(2.0))
    assert found is not None and found[0] == 2 and "goes on after epoch 2" in said[-1]
    other = Checkpoints(kept.folder, "other key", said.append)
    assert other.resume("sc-seed1", run()) is None and "other options" in said[-1]
    kept.path("sc-seed1").rename(kept.path("sc-seed2"))
    assert kept.resume("sc-seed2", run()) is None and "of another run" in said[-1]


def test_results_in_place_the_folder_goes_but_nothing_that_is_not_ours(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path / "checkpoints", "key", print)
    kept.remove()
    kept.save("float-seed1", 1, {"x": 1.0})
    (kept.folder / ".float-seed1.eqx.abc123").write_text("half")  # as a kill leaves it
    (kept.folder / "notes.txt").write_text("mine")
    kept.remove()
    assert [path.name for path in kept.folder.iterdir()] == ["notes.txt"]
    (kept.folder / "notes.txt").unlink()
    kept.remove()
    assert not kept.folder.exists()


EPOCHS, STEPS = 60, 20
TRAINING = f"""
import importlib.util
import sys
from pathlib import Path
import numpy as np
from formats.seeds import generator
spec = importlib.util.find_spec("system")
path = Path(next(iter(spec.submodule_search_locations))) / "train" / "checkpoint.py"
spec = importlib.util.spec_from_file_location("checkpoint", path)  # the rest loads for seconds
sys.modules["checkpoint"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
Checkpoints = module.Checkpoints

def train(folder, on_epoch=lambda: None):
    kept = Checkpoints(folder / "checkpoints", "key", print)
    state = {{"w": np.ones((50, 50)), "m": np.zeros((50, 50)), "wear": np.zeros(50, np.int64)}}
    done, state = kept.resume("toy", state) or (0, state)
    for epoch in range(done, {EPOCHS}):
        noise = generator(1, "toy", epoch)
        for _ in range({STEPS}):
            state["m"] = 0.9 * state["m"] + noise.normal(size=(50, 50)) * np.tanh(state["w"])
            state["w"] = state["w"] - 0.01 * state["m"]
            state["wear"] = state["wear"] + noise.binomial(256, 0.3, 50)
        kept.save("toy", epoch + 1, state)
        on_epoch()
    return state

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    state = train(folder, lambda: print("epoch", flush=True))
    np.savez(folder / "end.npz", **state)
"""


def test_killed_at_a_random_point_a_run_ends_with_the_same_bits(tmp_path: Path) -> None:
    script = tmp_path / "training.py"
    script.write_text(TRAINING)
    made: dict[str, Any] = {"__name__": "training"}
    exec(TRAINING, made)
    whole = made["train"](tmp_path / "whole")
    chance = random.Random(5)
    command = [sys.executable, str(script), str(tmp_path)]
    run = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.stdout is not None
    for _ in range(chance.randint(2, 12)):
        run.stdout.readline()
    time.sleep(chance.uniform(0, 0.02))
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    run.stdout.close()
    done = read_header(tmp_path / "checkpoints" / "toy.eqx")["epochs"]
    assert 0 < done < EPOCHS
    resumed = made["train"](tmp_path)
    for name, values in whole.items():
        assert bits(values) == bits(resumed[name])
