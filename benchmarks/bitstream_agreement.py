"""Part 4: moment mode against exact mode on a trained LeNet-5 and real images.

The network is trained in moments on the images there are, with the generators of the published law
(preset ``knag2014``, default cells). Then 64 outputs of each layer, chosen by seed (all 10 of the
last), are drawn 2,000 times for each of 10 test images in both modes, twice over: *alone* (each
layer fed with the floating-point activations, so that only this layer's streams are random) and
*through* the network (each layer fed with what the mode made of the layer before). The repeats are
images of larger batches, so every one has its own streams (life: image).
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import binomtest, norm

from benchmarks.common import STATE, measured_data
from benchmarks.lenet_training import LENGTH, SEED, course_of, trained
from formats.cells import read_cells
from formats.progress import steps
from formats.seeds import generator, integer_seed
from system.arithmetic import (
    Arithmetic,
    Float,
    Generators,
    Linear,
    Product,
    SignMagnitudeCounter,
)
from system.arithmetic.exact import BitExact
from system.images import Images, load_images
from system.networks import Layer, Products, Run, layers_of
from system.train.learning import Learned, scales_of

OUTPUTS, IMAGES, REPEATS, BATCH = 64, 10, 2000, 200
FAMILY = 1e-3
"""Family-wise error of the tests of means (Holm)."""
TOLERANCE = 0.01
SCORE_RUNS = 4
"""Sets of moment runs, as large as the compared one, that weigh the covariances."""
SCORED = 1000
TRAINED, EPOCHS, TRAINED_BATCH = 5000, 3, 32


def run(repeats: int = REPEATS) -> dict[str, Any]:
    """Measure, print, and return the content of the result file."""
    cells = _cells()
    generators = Generators.from_cells(read_cells(cells))
    images = load_images(measured_data("mnist"), TRAINED, SCORED)
    moments = SignMagnitudeCounter(generators, LENGTH)
    exact = BitExact(moments)
    course = course_of(moments, generators, images, TRAINED_BATCH, epochs=EPOCHS)
    learned = trained(course, images, "training")
    linears = {layer.name: layer.linear for layer in layers_of(learned.network)}
    picked = {name: _picked(name, linear) for name, linear in linears.items()}
    shown = images.test[:IMAGES]
    content: dict[str, Any] = {
        "shows": "moment mode against bit-exact mode on a trained LeNet-5",
        "images": images.name,
        "repeats": repeats,
        "layers": [],
    }
    verdict = []
    for way in ("alone", "through"):
        fixed = _float_activations(learned, shown) if way == "alone" else {}
        drawn = {
            name: _drawn(arithmetic, learned, shown, fixed, picked, repeats, f"{way} {name}")
            for name, arithmetic in (("moments", moments), ("exact", exact))
        }
        scores = {name: Scores.start(y.shape[1:]) for name, y in drawn["moments"].items()}
        for part in range(SCORE_RUNS):
            label = f"{way} weights {part}"
            more = _drawn(moments, learned, shown, fixed, picked, repeats, label)
            scores = {name: score.add(more[name]) for name, score in scores.items()}
        rows = [
            _compared(
                way,
                name,
                _pairs(linear, picked[name]),
                drawn["exact"][name],
                drawn["moments"][name],
                scores[name],
            )
            for name, linear in linears.items()
        ]
        content["layers"] += rows
        verdict += _judged(way, rows)
    content["accuracy"] = _accuracies(learned, moments, exact, images)
    verdict.append(
        {
            "asked": f"accuracies on {SCORED} images agree (McNemar, P > 0.01)",
            "reached": content["accuracy"]["p_value"],
            "met": content["accuracy"]["p_value"] > 0.01,
        }
    )
    content["verdict"] = verdict
    _show(content)
    return content


def _cells() -> Path:
    """cells.nc of the published law, made once."""
    folder = STATE / "agreement"
    if not (folder / "cells.nc").exists():
        for command in (
            ["preset", "knag2014", "-o", str(folder)],
            ["extract", str(folder / "device.json"), "-o", str(folder)],
        ):
            subprocess.run([sys.executable, "-m", "stochram", *command], check=True)
    return folder / "cells.nc"


def _picked(name: str, linear: Linear) -> np.ndarray:
    """Flat indices of the outputs looked at in a layer."""
    size = int(np.prod(linear.output_shape))
    rng = generator(SEED, "agreement", name)
    return np.sort(rng.choice(size, min(OUTPUTS, size), replace=False))


@dataclass(frozen=True)
class _Watched:
    """A way to run layers that keeps what comes in and out of each.

    Layers named in ``fixed`` are fed with that instead, again and again.
    """

    run: Run
    fixed: Mapping[str, jax.Array] = field(default_factory=dict)
    inputs: dict[str, jax.Array] = field(default_factory=dict)
    outputs: dict[str, jax.Array] = field(default_factory=dict)

    def __call__(self, layer: Layer, x: jax.Array) -> jax.Array:
        if layer.name in self.fixed:
            fed = self.fixed[layer.name]
            x = jnp.tile(fed, (x.shape[0] // fed.shape[0], *(1,) * (fed.ndim - 1)))
        self.inputs[layer.name] = x
        self.outputs[layer.name] = self.run(layer, x)
        return self.outputs[layer.name]


class _Made(NamedTuple):
    """Logits of a batch, and what comes into each layer and out of it before its bias."""

    logits: jax.Array
    inputs: dict[str, jax.Array]
    outputs: dict[str, jax.Array]


def _forward(
    arithmetic: Arithmetic, learned: Learned, fixed: Mapping[str, jax.Array]
) -> Callable[..., _Made]:
    """One batch through all layers."""
    layers = layers_of(learned.network)
    products = {layer.name: Product.of(arithmetic, layer.linear) for layer in layers}
    scales = scales_of(learned.exponents, layers)

    def forward(images: jax.Array, devices: Any, key: jax.Array) -> _Made:
        probes = {name: product.probe(devices[name]) for name, product in products.items()}
        run = Products.of(products, devices, scales, probes, key, images.shape[0])
        watched = _Watched(run, fixed)
        return _Made(learned.network(images, watched), watched.inputs, watched.outputs)

    return jax.jit(forward)


def _float_activations(learned: Learned, images: np.ndarray) -> dict[str, jax.Array]:
    """Input of each layer in floating-point arithmetic."""
    key = jax.random.key(0, impl="threefry2x32")
    return _forward(Float(), learned, {})(jnp.asarray(images), learned.devices, key).inputs


def _drawn(
    arithmetic: Arithmetic,
    learned: Learned,
    images: np.ndarray,
    fixed: Mapping[str, jax.Array],
    picked: Mapping[str, np.ndarray],
    repeats: int,
    label: str,
) -> dict[str, np.ndarray]:
    """For each layer the picked outputs (repeats, images, outputs)."""
    forward = _forward(arithmetic, learned, fixed)
    times = BATCH // len(images)
    batch = jnp.asarray(np.tile(images, (times, 1, 1)))
    key = jax.random.key(integer_seed(SEED, "agreement", label), impl="threefry2x32")
    parts: list[dict[str, np.ndarray]] = []
    with steps(label, repeats // times) as step:
        for part in range(repeats // times):
            found = forward(batch, learned.devices, jax.random.fold_in(key, part)).outputs
            parts.append(
                {
                    name: np.asarray(y, float).reshape(times, len(images), -1)[..., picked[name]]
                    for name, y in found.items()
                }
            )
            step("")
    return {name: np.concatenate([part[name] for part in parts]) for name in picked}


def _compared(
    way: str,
    name: str,
    pairs: Mapping[str, np.ndarray],
    exact: np.ndarray,
    moments: np.ndarray,
    scores: Scores,
) -> dict[str, Any]:
    """Means by Holm, pooled variance and pooled covariances of one layer."""
    runs = exact.shape[0]
    error = np.sqrt((exact.var(0, ddof=1) + moments.var(0, ddof=1)) / runs)
    gap = np.abs(exact.mean(0) - moments.mean(0))
    certain = error == 0  # an output without noise must agree up to rounding
    z = np.where(certain, np.where(gap < 1e-5, 0.0, np.inf), gap / np.where(certain, 1, error))
    ratios = {"variance": _ratio(exact, moments, scores, None)}
    for kind, chosen in pairs.items():
        ratios[kind] = _ratio(exact, moments, scores, chosen)
    return {
        "way": way,
        "layer": name,
        "tests": int(z.size),
        "smallest_p": float(2 * norm.sf(np.max(z))),
        "rms_noise": float(np.sqrt(exact.var(0).mean())),
        "largest_gap_in_noise": float(
            np.max(gap / np.where(certain, np.inf, np.sqrt(runs) * error))
        ),
        **{kind: {"ratio": value, "stderr": stderr} for kind, (value, stderr) in ratios.items()},
    }


def _pairs(linear: Linear, picked: np.ndarray) -> dict[str, np.ndarray]:
    """Pairs (places among the picked outputs) that share streams, by what they share."""
    positions = int(np.prod(linear.output_shape[1:]))
    both = np.array(list(itertools.combinations(range(picked.size), 2)))
    channel, position = picked // positions, picked % positions
    same = channel[both[:, 0]] == channel[both[:, 1]]
    if positions == 1:
        return {"covariance of outputs": both}
    distinct = position[both[:, 0]] != position[both[:, 1]]
    return {
        "covariance across positions": both[same & distinct],
        "covariance across channels": both[~same],
    }


BLOCKS = 40


def _ratio(
    exact: np.ndarray, moments: np.ndarray, scores: Scores, pairs: np.ndarray | None
) -> tuple[float, float]:
    """Pooled variance (or covariance of pairs), exact over moments, and its standard error.

    Outputs are taken in units of their own noise. Variances add up as they are; covariances, of
    either sign and size, with the correlation found in other moment runs as their weight, so that
    chance in the weights has no part in the ratio. The error is a jackknife over blocks of repeats.
    """
    spread = scores.deviation()

    def terms(x: np.ndarray) -> np.ndarray:
        """(repeats,) sums of weighted products of deviations."""
        y = np.where(spread > 0, (x - x.mean(0)) / np.where(spread > 0, spread, 1), 0.0)
        if pairs is None:
            return np.asarray(np.sum(y**2, axis=(1, 2)))
        chosen = np.zeros((x.shape[2], x.shape[2]))
        chosen[pairs[:, 0], pairs[:, 1]] = 1
        weight = scores.correlation() * chosen
        return np.einsum("rip,irp->r", y, y.transpose(1, 0, 2) @ weight.transpose(0, 2, 1))

    top, bottom = (t.reshape(BLOCKS, -1).sum(1) for t in (terms(exact), terms(moments)))
    left = (top.sum() - top) / (bottom.sum() - bottom)
    error = np.sqrt((BLOCKS - 1) / BLOCKS * np.sum((left - left.mean()) ** 2))
    return float(top.sum() / bottom.sum()), float(error)


@dataclass(frozen=True)
class Scores:
    """Sums over moment runs of the outputs (images, outputs) and of their products."""

    runs: int
    total: np.ndarray
    products: np.ndarray

    @classmethod
    def start(cls, shape: tuple[int, ...]) -> Scores:
        """No runs yet."""
        images, outputs = shape
        return cls(0, np.zeros((images, outputs)), np.zeros((images, outputs, outputs)))

    def add(self, y: np.ndarray) -> Scores:
        """With more runs (repeats, images, outputs)."""
        by_image = y.transpose(1, 2, 0)
        products = by_image @ by_image.transpose(0, 2, 1)
        return Scores(self.runs + len(y), self.total + y.sum(0), self.products + products)

    def covariance(self) -> np.ndarray:
        """(images, outputs, outputs)."""
        mean = self.total / self.runs
        return np.asarray(self.products / self.runs - mean[:, :, None] * mean[:, None, :])

    def deviation(self) -> np.ndarray:
        """Noise of each output; rounding errors of outputs without noise count as 0."""
        variance = np.einsum("ioo->io", self.covariance())
        return np.sqrt(np.where(variance > 1e-9, variance, 0.0))

    def correlation(self) -> np.ndarray:
        """Of the outputs of an image; 0 where one has no noise."""
        spread = self.deviation()
        by = spread[:, :, None] * spread[:, None, :]
        return np.where(by > 0, self.covariance() / np.where(by > 0, by, 1), 0.0)


KINDS = (
    "variance",
    "covariance across positions",
    "covariance across channels",
    "covariance of outputs",
)


def _judged(way: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    tests = sum(row["tests"] for row in rows)
    smallest = min(row["smallest_p"] for row in rows)
    verdict = [
        {
            "asked": f"{way}: {tests} means equal, family-wise error {FAMILY:g} (Holm)",
            "reached": smallest * tests,
            "met": smallest * tests > FAMILY,
        }
    ]
    for kind in KINDS:
        found = [(row["layer"], row[kind]) for row in rows if kind in row]
        layer, worst = max(found, key=lambda pair: abs(pair[1]["ratio"] - 1))
        verdict.append(
            {
                "asked": f"{way}: {kind} within {TOLERANCE:.0%} in every layer",
                "reached": f"{worst['ratio'] - 1:+.2%} ± {worst['stderr']:.2%} ({layer})",
                "met": abs(worst["ratio"] - 1) <= TOLERANCE,
            }
        )
    return verdict


def _accuracies(
    learned: Learned, moments: Arithmetic, exact: Arithmetic, images: Images
) -> dict[str, Any]:
    """Right answers of both modes on the same images, and McNemar's exact test."""
    right = {}
    batches = jnp.asarray(images.test[:SCORED]).reshape(-1, 250, images.side, images.side)
    for name, arithmetic in (("moments", moments), ("exact", exact)):
        forward = _forward(arithmetic, learned, {})
        seed = integer_seed(SEED, "agreement", "score", name)
        key = jax.random.key(seed, impl="threefry2x32")
        answers = [
            forward(part, learned.devices, jax.random.fold_in(key, k)).logits.argmax(1)
            for k, part in enumerate(batches)
        ]
        right[name] = np.concatenate(answers) == images.test_labels[:SCORED]
    only = [int(np.sum(right[a] & ~right[b])) for a, b in itertools.permutations(right, 2)]
    p = binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0
    return {
        **{name: int(values.sum()) for name, values in right.items()},
        "images": SCORED,
        "only_moments": only[0],
        "only_exact": only[1],
        "p_value": float(p),
    }


def _show(content: dict[str, Any]) -> None:
    for row in content["layers"]:
        ratios = ", ".join(
            f"{kind} {value['ratio']:.4f} ± {value['stderr']:.4f}"
            for kind, value in row.items()
            if isinstance(value, dict)
        )
        print(
            f"{row['way']:8} {row['layer']:6} noise {row['rms_noise']:.4f}, smallest P of "
            f"{row['tests']} means {row['smallest_p']:.1e}; exact/moments: {ratios}"
        )
    score = content["accuracy"]
    print(
        f"right of {score['images']}: moments {score['moments']}, exact {score['exact']}; "
        f"discordant {score['only_moments']} / {score['only_exact']}, P = {score['p_value']:.2f}"
    )
