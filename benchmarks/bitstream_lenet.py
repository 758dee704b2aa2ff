"""Part 3, exact half: LeNet-5 bit by bit, images per second and where the time goes.

Sign-magnitude streams of N = 256 bits, AND gates, exact counters, on all cores Numba uses. A float
LeNet-5 is trained for one epoch first, so that the operands are those of a real network; the
generators are those of the published law (preset ``knag2014``) without D2D. Ways of running take
turns in rounds; a rate is that of the best round. Then the time against the stream's length and
the number of images, and the peak of the memory against the length.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numba
import numpy as np

from benchmarks.bitstream_sources import demo_generators as generators_of
from benchmarks.common import measured_data
from benchmarks.lenet_training import LENGTH, SEED, Stepper, course_of, in_turns, trained
from devices.presets import knag2014
from system.arithmetic import Devices, Float, Generators, Scales, SignMagnitudeCounter
from system.arithmetic.exact import BitExact, layer
from system.arithmetic.operands import ReadOut
from system.bitstream import BATCH, DEFAULT_RULES, StreamRules
from system.images import Images, load_images
from system.networks import LeNet5, layers_of
from system.networks.exact import ExactProducts, layer_keys
from system.train.evaluate import evaluator
from system.train.learning import draw_devices, scales_of
from system.train.plan import in_float
from system.train.score import mapped_exponents

IMAGES, STEP_IMAGES, SCORED = 250, 32, 1000
ROUNDS = 5
LENGTHS = (64, 128, 256, 512, 1024)
COUNTS = (50, 100, 200, 400, 800)
LONG = (512, 1024, 4096)
"""Lengths of the memory's test: from one stretch of clocks to eight."""
KEY = np.array([3, 1415], np.uint32)
ASKED = 300
_HIGH_WATER = "VmHWM"


@dataclass(frozen=True)
class _Mapped:
    """A network trained in floating point, with generators and scales to run it on streams."""

    network: LeNet5
    devices: Mapping[str, Devices]
    scales: Mapping[str, Scales]

    def logits(
        self,
        exact: BitExact,
        images: np.ndarray,
        batch: int = 0,
        on_part: Callable[[str], None] = lambda part: None,
    ) -> np.ndarray:
        """Bit by bit."""
        names = tuple(self.devices)
        kinds, keys = dict.fromkeys(names, exact), layer_keys(KEY, names, batch)
        run = ExactProducts(kinds, self.devices, self.scales, keys, on_part)
        return np.asarray(self.network(jnp.asarray(images), run))


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure, print, and return the content of the result file."""
    generators = generators_of(knag2014().set, ReadOut(reset=1.0, e01=0.0, e10=0.0))
    images = load_images(measured_data("mnist"), 5000, SCORED)
    mapped = _mapped(generators, images)
    shown = images.test[:IMAGES]
    rules = {"batch": StreamRules(BATCH), "image": DEFAULT_RULES}
    ways = {
        life: BitExact(SignMagnitudeCounter(generators, LENGTH), rules=rule)
        for life, rule in rules.items()
    }
    content: dict[str, Any] = {
        "shows": f"LeNet-5 bit by bit, N = {LENGTH}: images per second, forward and in training",
        "images": images.name,
        "threads": numba.get_num_threads(),
        "forward": _forward(ways, mapped, shown, rounds),
        "step": _steps(ways, rules, generators, images, rounds),
    }
    content["right"] = _right(ways["batch"], mapped, images)
    content["time_by_length"] = _by_length(generators, mapped, shown, rounds)
    content["time_by_images"] = _by_images(ways["batch"], mapped, images, rounds)
    content["memory_by_length"] = _memory(generators, mapped, shown)
    content["verdict"] = _verdict(content)
    return content


def _mapped(generators: Generators, images: Images) -> _Mapped:
    course = course_of(Float(), None, images, STEP_IMAGES)
    learned = trained(course, images, "training")
    layers = layers_of(learned.network)
    exponents = mapped_exponents(learned.network, images, course.scaling)
    devices = draw_devices(generators, SEED, layers)
    return _Mapped(learned.network, devices, scales_of(exponents, layers))


class _Parts:
    """Seconds spent in each part of a forward pass."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._last = time.perf_counter()

    def over(self, part: str) -> None:
        now = time.perf_counter()
        self.seconds[part] += now - self._last
        self._last = now

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Times generation and products apart, which ``over`` sees as one."""
        read, add = layer._read, layer.add_products
        with (
            _patched("_read", self._timed(read, "generate")),
            _patched("add_products", self._timed(add, "products")),
        ):
            yield

    def _timed(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            start = time.perf_counter()
            result = function(*arguments)
            self.seconds[name] += time.perf_counter() - start
            return result

        return timed


@contextmanager
def _patched(name: str, function: Callable[..., Any]) -> Iterator[None]:
    before = getattr(layer, name)
    setattr(layer, name, function)
    try:
        yield
    finally:
        setattr(layer, name, before)


def _forward(
    ways: dict[str, BitExact], mapped: _Mapped, shown: np.ndarray, rounds: int
) -> dict[str, Any]:
    """Images per second and its parts, for both lives of the weights' streams."""
    best: dict[str, dict[str, float]] = {}
    for round_ in range(rounds + 1):
        for life, exact in ways.items():
            parts = _Parts()
            start = time.perf_counter()
            with parts.inside():
                mapped.logits(exact, shown, on_part=parts.over)
            whole = time.perf_counter() - start
            if round_ and (life not in best or whole < best[life]["whole"]):
                best[life] = {"whole": whole, **parts.seconds}
    rows = {}
    for life, seconds in best.items():
        split = {name: seconds[name] for name in ("encode", "generate", "products")}
        split["rest"] = seconds["whole"] - sum(split.values())
        rate = shown.shape[0] / seconds["whole"]
        rows[life] = {
            "images_per_s": rate,
            **{f"{name}_share": value / seconds["whole"] for name, value in split.items()},
        }
        shares = ", ".join(
            f"{name} {100 * v / seconds['whole']:.0f} %" for name, v in split.items()
        )
        print(f"forward, weight streams for one {life:5}: {rate:7.0f} images/s ({shares})")
    return rows


def _steps(
    ways: dict[str, BitExact],
    rules: Mapping[str, StreamRules],
    generators: Generators,
    images: Images,
    rounds: int,
) -> dict[str, float]:
    """Images per second of a whole training step, all of it on streams, within JAX."""
    steps = {"float": Stepper(course_of(Float(), None, images, STEP_IMAGES), images)}
    for life, exact in ways.items():
        course = course_of(exact, generators, images, STEP_IMAGES, rules=rules[life])
        steps[life] = Stepper(course, images)
    seconds = in_turns(steps, STEP_IMAGES, rounds, 2 * STEP_IMAGES)
    rates = {name: STEP_IMAGES / float(found.min()) for name, found in seconds.items()}
    for name, rate in rates.items():
        print(f"training step, batch {STEP_IMAGES}, {name:5}: {rate:7.0f} images/s")
    return rates


def _right(exact: BitExact, mapped: _Mapped, images: Images) -> dict[str, int]:
    """Test images that float and exact arithmetic get right: what the timed work amounts to."""
    parts = images.test.reshape(-1, IMAGES, images.side, images.side)
    answers = [mapped.logits(exact, part, batch).argmax(1) for batch, part in enumerate(parts)]
    layers = layers_of(mapped.network)
    plain = evaluator(in_float(layers).products, images, SEED)
    none = draw_devices(None, SEED, layers)
    found = {
        "of": int(images.test_labels.size),
        "float": int(plain(mapped.network, none, mapped.scales, 0).sum()),
        "exact": int(np.sum(np.concatenate(answers) == images.test_labels)),
    }
    print(f"right of {found['of']} test images: float {found['float']}, exact {found['exact']}")
    return found


def _by_length(
    generators: Generators, mapped: _Mapped, shown: np.ndarray, rounds: int
) -> dict[str, Any]:
    made = {
        n: BitExact(SignMagnitudeCounter(generators, n), rules=StreamRules(BATCH)) for n in LENGTHS
    }
    runs = {n: lambda exact=exact: mapped.logits(exact, shown) for n, exact in made.items()}
    return _scaling("stream length", runs, rounds)


def _by_images(exact: BitExact, mapped: _Mapped, images: Images, rounds: int) -> dict[str, Any]:
    runs = {n: lambda n=n: mapped.logits(exact, images.test[:n]) for n in COUNTS}
    return _scaling("images", runs, rounds)


def _scaling(name: str, runs: Mapping[int, Callable[..., Any]], rounds: int) -> dict[str, Any]:
    """Best times in turns, and the line through them: t = fixed + slope x size.

    ``largest_miss`` is the greatest relative distance from the line, weighted so that small and
    large sizes count alike; ``exponent`` is that of the time between the two largest sizes.
    """
    seconds: dict[int, list[float]] = defaultdict(list)
    for _ in range(rounds + 1):
        for size, call in runs.items():
            start = time.perf_counter()
            call()
            seconds[size].append(time.perf_counter() - start)
    sizes = np.array(list(runs), float)
    best = np.array([min(seconds[size][1:]) for size in runs])
    slope, fixed = np.polyfit(sizes, best, 1, w=1 / best)
    miss = np.abs(fixed + slope * sizes - best) / best
    exponent = float(np.log(best[-1] / best[-2]) / np.log(sizes[-1] / sizes[-2]))
    times = ", ".join(
        f"{size}: {1e3 * value:.0f} ms" for size, value in zip(runs, best, strict=True)
    )
    print(
        f"time against {name}: {times}; line {1e3 * fixed:.0f} ms + {1e3 * slope:.3g} ms each, "
        f"missed by {100 * miss.max():.0f} % at most, last exponent {exponent:.2f}"
    )
    return {
        "sizes": [int(size) for size in sizes],
        "seconds": [float(value) for value in best],
        "fixed_s": float(fixed),
        "slope_s": float(slope),
        "largest_miss": float(miss.max()),
        "exponent": exponent,
    }


def _memory(generators: Generators, mapped: _Mapped, shown: np.ndarray) -> dict[str, Any]:
    """Peak of the resident memory (bytes) above what was there before, for each length."""
    peaks = {}
    for turn in range(2):  # the first turn compiles and fills the allocators' pools
        for n in LONG:
            exact = BitExact(SignMagnitudeCounter(generators, n), rules=StreamRules(BATCH))
            Path("/proc/self/clear_refs").write_text("5")
            before = _high_water()
            mapped.logits(exact, shown[:50])
            if turn:
                peaks[n] = _high_water() - before
    print(
        "peak memory above that before: "
        + ", ".join(f"N {n}: {p / 2**20:.1f} MiB" for n, p in peaks.items())
    )
    return {"lengths": list(peaks), "peak_bytes": list(peaks.values())}


def _high_water() -> int:
    """Peak of the resident memory (bytes) since it was last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(_HIGH_WATER))


def _verdict(content: dict[str, Any]) -> list[dict[str, Any]]:
    rate = content["forward"]["batch"]["images_per_s"]
    peaks = content["memory_by_length"]["peak_bytes"]
    growth = (max(peaks) - min(peaks)) / 2**20
    misses = [content[f"time_by_{name}"]["largest_miss"] for name in ("length", "images")]
    return [
        {
            "asked": f"LeNet-5 forward bit by bit at N = {LENGTH}: >= {ASKED} images/s",
            "reached": rate,
            "met": rate >= ASKED,
        },
        {
            "asked": "time a line in N and in images: missed by 15 % at most",
            "reached": max(misses),
            "met": max(misses) <= 0.15,
        },
        {
            "asked": f"memory flat from N = {LONG[0]} to {LONG[-1]}: differs by 8 MiB at most",
            "reached": growth,
            "met": growth <= 8,
        },
    ]


if __name__ == "__main__":
    run()
