"""The content of training.nc: what was learned, and what one image asks of the hardware."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from formats.cells import Cells
from formats.training import (
    ARITHMETICS,
    BINARY,
    EVALUATIONS,
    OPERANDS,
    PRODUCTS,
    SCALED,
    STATISTICS,
    STUCK,
)
from system.arithmetic import Generators
from system.arithmetic.calibration import Calibration
from system.arithmetic.operands import REGISTER_BITS
from system.images import Images
from system.networks import Layer, layers_of
from system.train.learning import Learned
from system.train.options import TrainOptions
from system.train.plan import Plan
from system.train.progressive import Progressive
from system.train.progressive import variables as stage_variables
from system.train.score import Scored, differences
from system.train.update import CONSTANTS, Rule
from system.train.wear import RANK_ENDS, Levels, by_rank, cycles, mean_levels
from system.train.worn import Worn
from system.train.worn import variables as worn_variables

_DERIVED = "derived: from the shapes of the network's layers"
_SIMULATED = "simulated: training run"
_EXACT = "simulated: every bit of every stream"
_WHERE = ("layer", "product")


@dataclass(frozen=True)
class Trained:
    """The networks of one seed, trained in floating point and (or mapped) on streams.

    ``scores`` holds those of (arithmetic, evaluation) that were scored. ``exponents`` and
    ``levels`` are the stochastic network's, ``progressive`` its inference in stages and ``worn``
    that with worn devices, if asked for.
    """

    runs: Mapping[str, Learned]
    scores: Mapping[tuple[str, str], Scored]
    exponents: np.ndarray
    levels: Sequence[Levels]
    progressive: Progressive | None = None
    worn: Worn | None = None


def dataset(
    trained: Sequence[Trained],
    plans: Sequence[Plan],
    options: TrainOptions,
    images: Images,
    generators: Generators,
    cells: Cells,
) -> xr.Dataset:
    """All variables of training.nc, from the networks of each seed."""
    layers = layers_of(trained[0].runs["float"].network)
    steps = images.train_labels.size // options.batch_size
    constants = CONSTANTS[options.rule]
    levels = [mean_levels(one.levels, steps, options.batch_size, constants) for one in trained]
    means = {name: np.mean([level[name] for level in levels], axis=0) for name in levels[0]}
    variables = (
        _curves(trained, options, images)
        | _scores(trained)
        | demand(layers, means, plans, options, generators)
        | _kinds(layers, plans, cells)
        | _wear(trained, layers, options, generators)
    )
    staged = [one.progressive for one in trained if one.progressive is not None]
    if staged:
        variables |= stage_variables(staged)
    variables |= worn_variables([one.worn for one in trained if one.worn is not None])
    coordinates = {
        "arithmetic": list(ARITHMETICS),
        "seed": options.seed + np.arange(options.seeds),
        "epoch": np.arange(options.epochs),
        "layer": [layer.name for layer in layers],
        "product": list(PRODUCTS),
        "operand": list(OPERANDS),
        "scaled": list(SCALED),
        "evaluation": list(EVALUATIONS),
        "statistic": list(STATISTICS),
    } | ({"stuck": list(STUCK)} if "worn_correct" in variables else {})
    return xr.Dataset(variables, coordinates)


def attributes(
    cells: Cells,
    mac: str,
    mode: str,
    rule: Rule,
    calibration: Calibration | None,
    plans: Sequence[Plan],
    layers: Sequence[Layer],
    options: TrainOptions,
    images: Images,
    record: Any,
) -> dict[str, Any]:
    """The global attributes of training.nc; ``mode`` is the one the stochastic runs took."""
    conditions = options.conditions.to_dict()
    if calibration is not None:
        conditions["calibration"] = calibration.to_dict()
    largest = max(math.prod(layer.linear.input_shape) for layer in layers)
    largest = max([largest, *(math.prod(layer.linear.output_shape) for layer in layers)])
    counted = max([largest * options.batch_size, *(layer.weight.size for layer in layers)])
    return {
        "cells_sha256": cells.sha256,
        "mac": mac,
        "signalling": cells.mac(mac).attrs["signalling"],
        "stream_life": options.rules.life_text,
        "sng_sharing": options.rules.sharing_text,
        "mode": mode,
        "network": options.network,
        "parameters": sum(layer.parameters for layer in layers),
        "rule": rule.name,
        "optimiser": rule.describe(),
        "weight_bits": options.weight_bits,
        "state_bits": 32 if rule.name == "adam" else options.state_bits,
        "gradient_bits": _gradient_bits(layers, plans, options.batch_size),
        "operand_bits": REGISTER_BITS,
        "scale_counter_bits": counted.bit_length(),
        "images": images.name,
        "images_sha256": images.sha256,
        "train_images": images.train_labels.size,
        "test_images": images.test_labels.size,
        "batch_size": options.batch_size,
        "conditions": json.dumps(conditions, sort_keys=True),
        "provenance": json.dumps(record, sort_keys=True),
    }


def _gradient_bits(layers: Sequence[Layer], plans: Sequence[Plan], batch: int) -> int:
    """Width of the widest sum of counts over a batch, with sign; a float's where there is none."""
    most = max(
        plan[layer.name, "weight_gradient"].length * layer.linear.fan_ins[2]
        for plan in plans
        for layer in layers
    )
    return (most * batch).bit_length() + 1 if most else 32


def weights(trained: Sequence[Trained], options: TrainOptions) -> dict[str, np.ndarray]:
    """The arrays of weights.npz, by arithmetic, seed, layer, and the stochastic ones' scales."""
    arrays = {}
    for index, one in enumerate(trained):
        seed = options.seed + index
        for name in ARITHMETICS:
            for layer in layers_of(one.runs[name].network):
                start = f"{name}.seed{seed}.{layer.name}"
                arrays[f"{start}.weight"] = np.asarray(layer.weight)
                arrays[f"{start}.bias"] = np.asarray(layer.bias)
        arrays[f"sc.seed{seed}.exponents"] = np.asarray(one.exponents)
    return arrays


def _curves(
    trained: Sequence[Trained], options: TrainOptions, images: Images
) -> dict[str, xr.Variable]:
    total = images.test_labels.size

    def of_epochs(field: str, scale: float) -> np.ndarray:
        rows = [
            [[getattr(e, field) * scale for e in one.runs[name].epochs] for one in trained]
            for name in ARITHMETICS
        ]
        array = np.asarray(rows, float)
        return np.where(np.isfinite(array), array, np.nan)

    by_epoch = ("arithmetic", "seed", "epoch")
    mapped = "; NaN before the last for a network mapped after training"
    return {
        "accuracy": _variable(
            by_epoch, of_epochs("correct", 1 / total), "1", _SIMULATED,
            "test accuracy after epoch" + mapped,
        ),
        "loss": _variable(
            by_epoch, of_epochs("loss", 1.0), "nat", _SIMULATED,
            "mean cross-entropy over the epoch's training steps (NaN: diverged, or mapped)",
        ),
        "correct": _variable(
            ("arithmetic", "seed"),
            [[one.runs[name].correct for one in trained] for name in ARITHMETICS],
            "images", _SIMULATED, f"test images of {total} that are right after the last epoch",
        ),
    }  # fmt: skip


def _scores(trained: Sequence[Trained]) -> dict[str, xr.Variable]:
    """Every network evaluated in every arithmetic, and exact against moments on the same images."""
    correct = np.full((len(ARITHMETICS), len(trained), len(EVALUATIONS)), np.nan)
    counts = np.zeros(len(EVALUATIONS), int)
    pairs = []
    for column, one in enumerate(trained):
        for (name, evaluation), score in one.scores.items():
            row, depth = ARITHMETICS.index(name), EVALUATIONS.index(evaluation)
            correct[row, column, depth] = score.correct
            counts[depth] = score.rows.size
        if ("sc", "exact") in one.scores and ("sc", "moments") in one.scores:
            moments = one.scores["sc", "moments"].right
            pairs.append(differences(one.scores["sc", "exact"], moments))
    found = {
        "evaluated_correct": _variable(
            ("arithmetic", "seed", "evaluation"), correct, "images", _SIMULATED,
            "test images that the last network gets right in each arithmetic (NaN: not done)",
        ),
        "evaluated_images": _variable(
            ("evaluation",), counts, "images", _SIMULATED, "test images of each evaluation"
        ),
    }  # fmt: skip
    if len(pairs) == len(trained):
        for index, (name, text) in enumerate(
            (
                ("only_exact_right", "images right bit by bit but not by the moments"),
                ("only_moments_right", "images right by the moments but not bit by bit"),
            )
        ):
            values = [pair[index] for pair in pairs]
            found[name] = _variable(("seed",), values, "images", _EXACT, text)
    return found


def demand(
    layers: Sequence[Layer],
    means: Mapping[str, np.ndarray],
    plans: Sequence[Plan],
    options: TrainOptions,
    generators: Generators,
) -> dict[str, xr.Variable]:
    """What one image asks of the hardware, by layer and product.

    ``means`` are the mean bit probabilities of :func:`mean_levels`. The stream rules say
    how many streams of weights an image meets, and how many of them a device makes for it.
    """
    rules, last, batch = options.rules, plans[-1], options.batch_size
    shape = (len(layers), len(PRODUCTS))
    columns = ("macs", "fan_in", "outputs", "a_streams", "b_streams")
    table = {name: np.zeros(shape) for name in columns}
    table |= {name: np.full(shape, np.nan) for name in ("operand_a", "operand_b")}
    writes = np.zeros(shape)
    for index, layer in enumerate(layers):
        linear = layer.linear
        inputs, weights, outputs = map(
            math.prod, (linear.input_shape, linear.weight_shape, linear.output_shape)
        )
        streams = rules.streams(weights, linear.uses)
        p = {name: float(values[index]) for name, values in means.items()}
        fan_ins, each = linear.fan_ins, CONSTANTS[options.rule]
        count = each * layer.parameters / batch
        made = rules.made_per_image(batch) * rules.turns(weights)
        rows: dict[str, tuple[tuple[float, ...], float]] = {
            "forward": (
                (linear.macs, fan_ins[0], outputs, inputs, streams, p["x"], p["w"]),
                made,
            ),
            "input_gradient": (
                (linear.macs, fan_ins[1], inputs, outputs, streams, p["d"], p["w2"]),
                made,
            ),
            "weight_gradient": (
                (linear.macs, fan_ins[2], weights, inputs, outputs, p["x2"], p["d2"]),
                1.0,
            ),
            "update": (
                (count, 1, count, count, each / batch, p["parameters"], p["constants"]),
                each / batch * rules.turns(weights),
            ),
        }
        for column, product in enumerate(PRODUCTS):
            setting = last[layer.name, product]
            none = product == "input_gradient" and layer.from_image
            if none or (product == "update" and not setting.streamed):
                continue
            values, times = rows[product]
            for name, value in zip(columns, values, strict=False):
                table[name][index, column] = value
            if not setting.streamed:
                continue
            table["operand_a"][index, column], table["operand_b"][index, column] = values[5:]
            worn = values[5] if product == "update" else values[6]
            writes[index, column] = setting.length * times * generators.read_out.set_events(worn)
    texts = {
        "macs": ("products per image, each of stream_length bits", _DERIVED),
        "fan_in": ("largest number of products summed into one output", _DERIVED),
        "outputs": ("sums per image", _DERIVED),
        "a_streams": ("streams of operand a that one image meets", _DERIVED),
        "b_streams": ("streams of operand b that one image meets", _DERIVED),
        "operand_a": ("mean P(bit = 1) of operand a over the last epoch", _SIMULATED),
        "operand_b": ("mean P(bit = 1) of operand b over the last epoch", _SIMULATED),
    }
    found = {
        name: _variable(_WHERE, values, "1", texts[name][1], texts[name][0])
        for name, values in table.items()
    }
    found["writes_per_device"] = _variable(
        _WHERE,
        writes,
        "1",
        "derived: stream_length x pi x Pr at the mean operand x streams a device makes",
        "SET events per image on a generator of operand b (of operand a in the update), by "
        "stream_life and sng_sharing",
    )
    return found


def _kinds(layers: Sequence[Layer], plans: Sequence[Plan], cells: Cells) -> dict[str, xr.Variable]:
    """Which MAC makes each product, with how many bits in each epoch."""
    shape = (len(layers), len(PRODUCTS))
    texts = {name: np.full(shape, "", object) for name in ("mac", "encoding", "adder")}
    lengths = np.zeros((len(plans), *shape), int)
    for row, layer in enumerate(layers):
        for column, product in enumerate(PRODUCTS):
            if product == "input_gradient" and layer.from_image:
                continue
            mac = plans[-1][layer.name, product].mac
            lengths[:, row, column] = [plan[layer.name, product].length for plan in plans]
            group = None if mac == BINARY else cells.mac(mac).attrs
            texts["mac"][row, column] = mac
            for name in ("encoding", "adder"):
                texts[name][row, column] = BINARY if group is None else str(group[name])
    chosen = "chosen: the plan of the run"
    found = {
        name: _variable(_WHERE, values.astype(str), "1", chosen, f"{name} of each product")
        for name, values in texts.items()
    }
    found["stream_length"] = _variable(
        ("epoch", *_WHERE), lengths, "bit", chosen, "bits of a stream (0: none)"
    )
    return found


def _wear(
    trained: Sequence[Trained],
    layers: Sequence[Layer],
    options: TrainOptions,
    generators: Generators,
) -> dict[str, xr.Variable]:
    """Cycles that the runs put on the generators, and the last scales."""
    found = np.zeros((len(trained), len(layers), len(OPERANDS), len(STATISTICS)))
    ranks = np.zeros((*found.shape[:3], len(RANK_ENDS) - 1))
    for index, one in enumerate(trained):
        for row, bits in enumerate(one.runs["sc"].bits):
            worn = cycles(bits, generators, options.rules, options.batch_size)
            for column, operand in enumerate(OPERANDS):
                found[index, row, column] = worn[operand].mean(), worn[operand].max()
                ranks[index, row, column] = by_rank(worn[operand])
    exponents = np.asarray([one.exponents for one in trained], float)
    held = {"x", "w"} if options.mode == "float" else set(SCALED)
    if options.rule == "adam":
        held -= {"m", "bias_m"}
    exponents[..., [name not in held for name in SCALED]] = np.nan
    cycled = "derived: the bit probabilities of all steps, by generator"
    return {
        "cycles_per_device": _variable(
            ("layer", "operand", "statistic"), found.mean(axis=0), "1", cycled,
            "SET + RESET cycles of the training steps on a generator, mean over seeds",
        ),
        "cycles_by_rank": _variable(
            ("layer", "operand", "rank"), ranks.mean(axis=0), "1", cycled,
            "the same in classes of generators by rank of use, the least used first",
        ),
        "rank_share": _variable(
            ("rank",), np.diff(RANK_ENDS), "1", "chosen: finer where the first devices fail",
            "share of a layer's generators in each class",
        ),
        "scale_exponent": _variable(
            ("seed", "layer", "scaled"), exponents, "1", _SIMULATED,
            "log2 of the stochastic network's last scales",
        ),
    }  # fmt: skip


def _variable(
    dimensions: tuple[str, ...], values: Any, units: str, source: str, long_name: str
) -> xr.Variable:
    details = {"units": units, "source": source, "long_name": long_name}
    return xr.Variable(dimensions, np.asarray(values), details)
