"""Reads the workload from training.nc, and refuses tables that cannot be."""

from __future__ import annotations

import math

import numpy as np

from formats.errors import InputError
from formats.training import BINARY, PRODUCTS, WIDTHS, Training
from system.bitstream import StreamRules
from system.budget.update import UpdateRule, update_rule
from system.budget.workload import KINDS_OF, BinaryProduct, Operand, Product, Widths, Workload

_NUMBERS = ("macs", "fan_in", "outputs", "a_streams", "b_streams", "operand_a", "operand_b")
_TEXTS = ("mac", "adder")


def workload(training: Training) -> Workload:
    """Read the tables; raises :class:`InputError` where a product that runs lacks a number."""
    data = training.data
    batch, parameters = (whole_attribute(training, key) for key in ("batch_size", "parameters"))
    rules, rule = stream_rules(training), update_rule(training)
    weights = float(data["outputs"].sel(product="weight_gradient").sum())
    if not 0 < weights <= parameters:
        raise InputError(
            training.path,
            f"outputs of weight_gradient are {weights:g} weights, more than the {parameters} "
            "parameters, or none",
        )
    tables = {
        name: np.asarray(data[name].transpose("layer", "product").to_numpy())
        for name in (*_NUMBERS, *_TEXTS)
    }
    lengths = data["stream_length"].transpose("epoch", "layer", "product").to_numpy()
    streamed: list[Product] = []
    binary: list[BinaryProduct] = []
    for column, name in enumerate(PRODUCTS):
        for index, layer in enumerate(data["layer"].to_numpy()):
            row = {key: float(tables[key][index, column]) for key in _NUMBERS}
            if not row["macs"] > 0:
                continue
            if str(tables["mac"][index, column]) == BINARY:
                numbers = dict(
                    zip(KINDS_OF[name], (row["a_streams"], row["b_streams"]), strict=True)
                )
                binary.append(BinaryProduct(str(layer), name, row["macs"], row["outputs"], numbers))
                continue
            where = f"{layer}/{name}"
            _check_row(training, where, row)
            bits = tuple(float(value) for value in lengths[:, index, column])
            if name == "update":
                uses = max((p.b.generators for p in streamed if _weighted(p, layer)), default=0.0)
                count = float(tables["outputs"][index, PRODUCTS.index("weight_gradient")])
                a, b, rounds = _of_update(training, where, row, rules, rule, batch, uses, count)
            else:
                a, b = _of_matrix(training, where, row, KINDS_OF[name], rules, batch)
                rounds = 1.0
            streamed.append(
                Product(
                    str(layer),
                    name,
                    str(tables["mac"][index, column]),
                    str(tables["adder"][index, column]),
                    row["macs"],
                    row["fan_in"],
                    row["outputs"],
                    a,
                    b,
                    bits,
                    math.fsum(bits) / len(bits),
                    rounds,
                    _staged(training, str(layer)) if name == "forward" else 0.0,
                )
            )
    names = [product.name for product in streamed] + [product.name for product in binary]
    if "forward" not in names:
        raise InputError(
            training.path,
            f"no layer of {training.attributes['network']!r} has a forward product",
        )
    return Workload(
        batch,
        parameters,
        round(weights),
        _scaled(training),
        tuple(streamed),
        tuple(binary),
        rules,
        rule,
        Widths(*(whole_attribute(training, key) for key in WIDTHS)),
    )


def _staged(training: Training, layer: str) -> float:
    """Bits that a forward count holds in an inference in stages: those of the longest stage, and in
    the last layer, whose counts go on from stage to stage, of all of them; 0 without stages."""
    if "stage_length" not in training.data:
        return 0.0
    bits = np.atleast_1d(np.asarray(training.data["stage_length"].to_numpy(), float))
    last = layer == str(training.data["layer"].to_numpy()[-1])
    return float(bits.sum() if last else bits.max())


def _scaled(training: Training) -> tuple[str, ...]:
    """The name of every tensor of every layer that has a scale."""
    data = training.data["scale_exponent"].transpose("seed", "layer", "scaled")
    known = np.any(np.isfinite(np.asarray(data.to_numpy(), float)), axis=0)
    names = [str(name) for name in training.data["scaled"].to_numpy()]
    return tuple(names[column] for _, column in np.argwhere(known))


def stream_rules(training: Training) -> StreamRules:
    """Whose streams the training used; raises :class:`InputError` naming file and attribute."""
    life, sharing = (str(training.attributes[key]) for key in ("stream_life", "sng_sharing"))
    for key, texts in (("stream_life", (life, "parameter")), ("sng_sharing", ("image", sharing))):
        try:
            StreamRules.parse(*texts)
        except ValueError as error:
            raise InputError(f"{training.path}, attribute {key}", str(error)) from error
    return StreamRules.parse(life, sharing)


def whole_attribute(training: Training, key: str) -> int:
    """An attribute that must be a whole number from 1 on; raises :class:`InputError`."""
    value = training.attributes[key]
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1 or number != float(value):
        raise InputError(training.path, f"{key} is {value!r}, expected a whole number from 1 on")
    return number


def _check_row(training: Training, where: str, row: dict[str, float]) -> None:
    for key, value in row.items():
        if not np.isfinite(value):
            raise InputError(
                training.path, f"{key} of {where} is not a number though macs is not 0"
            )
    for key in ("operand_a", "operand_b"):
        if row[key] > 1:
            raise InputError(
                training.path, f"{key} of {where} is {row[key]:g}, expected a probability"
            )


def _of_matrix(
    training: Training,
    where: str,
    row: dict[str, float],
    kinds: tuple[str, str],
    rules: StreamRules,
    batch: int,
) -> tuple[Operand, Operand]:
    """Operands by the rules, which speak of weights; others are made anew for each image."""
    if kinds[1] == "parameter" and rules.kind == "use" and row["b_streams"] != row["macs"]:
        raise InputError(
            training.path,
            f"b_streams of {where} is {row['b_streams']:g}, but with sng_sharing 'use' each of its "
            f"{row['macs']:g} products has a stream of its own",
        )
    operands = []
    for kind, met, probability in zip(
        kinds,
        (row["a_streams"], row["b_streams"]),
        (row["operand_a"], row["operand_b"]),
        strict=True,
    ):
        if kind != "parameter":
            operands.append(Operand(kind, met, probability, generators=met))
            continue
        count = round(met)
        operands.append(
            Operand(
                kind,
                met,
                probability,
                float(rules.generators(count)),
                rules.made_per_image(batch) * rules.turns(count),
                rules.made_per_image(batch),
                rules.turns(count),
            )
        )
    return operands[0], operands[1]


def _of_update(
    training: Training,
    where: str,
    row: dict[str, float],
    rules: StreamRules,
    rule: UpdateRule,
    batch: int,
    uses: float,
    weights: float,
) -> tuple[Operand, Operand, float]:
    """Operands of the update, made anew for each batch, and its rounds per image.

    The parameter's own SNG makes the stream of a moment or a gradient, so its sharing is that of
    the weights; where these have an SNG for each use, one of the ``uses`` makes it. The biases'
    come on top, and the constants have an SNG each.
    """
    if not rule.stream_products:
        raise InputError(training.path, f"{where} runs on streams, which {rule.name} cannot")
    rounds = rule.stream_products / batch
    parameters = row["macs"] / rounds
    wanted = {"outputs": row["macs"], "a_streams": row["macs"], "b_streams": rounds}
    for key, value in wanted.items():
        if not math.isclose(row[key], value, rel_tol=1e-6):
            raise InputError(
                training.path,
                f"{key} of {where} is {row[key]:g}, but {rule.name} in batches of {batch} takes "
                f"{value:g} per image",
            )
    count, turns = round(parameters), rules.turns(round(parameters))
    own = uses if rules.kind == "use" else math.ceil(weights / rules.group)
    generators = float(own + count - round(weights))
    a = Operand(
        "parameter",
        row["a_streams"],
        row["operand_a"],
        generators,
        rounds * turns,
        turns=turns,
    )
    b = Operand("constant", rounds, row["operand_b"], float(rule.stream_products), each=1.0 / batch)
    return a, b, rounds


def _weighted(product: Product, layer: object) -> bool:
    """Whether a product of the layer has the weights as operand b."""
    return product.layer == str(layer) and product.b.kind == "parameter"
