"""What the command says at the end: accuracies, and what the run put on the devices."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

from formats.training import EVALUATIONS, PRODUCTS
from system.arithmetic.calibration import Calibration
from system.budget.accuracy import mcnemar
from system.images import Images
from system.train.options import TrainOptions
from system.train.plan import Plan, parse_schedule
from system.train.record import Trained
from system.train.score import Scored, differences

_TRAINED = {"float": "float", "sc": "SC"}
_EVALUATED = {"float": "float", "moments": "SC by moments", "exact": "SC bit by bit"}


def summary(
    trained: Sequence[Trained],
    plans: Sequence[Plan],
    options: TrainOptions,
    images: Images,
    mac: str,
    mode: str,
    calibration: Calibration | None,
) -> None:
    """Print the table of accuracies, what was assumed, and exact against moments."""
    on = [
        product
        for product in PRODUCTS
        if any(plans[-1][place].streamed for place in plans[-1].settings if place[1] == product)
    ]
    table = Table(
        title=f"Test accuracy on {images.name} (simulated, Wilson 95 % interval)",
        caption=f"{options.network}, {mac}, {_lengths(options)}; on streams: "
        f"{', '.join(on).replace('_', ' ')} ({'mapped' if options.mode == 'float' else mode}); "
        f"weight streams: life {options.rules.life_text}, SNG sharing "
        f"{options.rules.sharing_text}",
    )
    for heading in ("trained in", "evaluated in", "seed", "right", "of", "accuracy", "95 %"):
        table.add_column(heading)
    for index, one in enumerate(trained):
        for name in ("float", "sc"):
            if name == "sc" and options.mode == "float":
                continue  # the same network
            scores = {what: one.scores.get((name, what)) for what in EVALUATIONS}
            exact, moments = scores["exact"], scores["moments"]
            rows = [(_EVALUATED[what], score) for what, score in scores.items() if score]
            if exact and moments and exact.rows.size < moments.rows.size:
                same = Scored(exact.rows, moments.right[exact.rows])
                rows.insert(-1, ("  on those images", same))
            for label, score in rows:
                correct, total = score.correct, score.rows.size
                low, high = binomtest(correct, total).proportion_ci(method="wilson")
                table.add_row(
                    _TRAINED[name],
                    label,
                    str(options.seed + index),
                    str(correct),
                    str(total),
                    f"{100 * correct / total:.1f} %",
                    f"{100 * low:.1f} to {100 * high:.1f} %",
                )
    console = Console()
    console.print(table)
    said = [options.conditions.sentence()] if options.conditions.to_dict() else []
    said += [calibration.sentence()] if calibration is not None else []
    for one in trained:
        if one.progressive is not None:
            staged, tested = one.progressive, int(sum(one.progressive.stage_images))
            said.append(
                f"in stages of {options.progressive} bits: {staged.mean_bits:.0f} bits an image, "
                f"{100 * staged.correct / tested:.2f} % right of {tested}, "
                f"{100 * staged.correct_in_full / tested:.2f} % with all stages (simulated)"
            )
    for line in said:
        console.print(line, highlight=False)
    apart = [
        differences(one.scores["sc", "exact"], one.scores["sc", "moments"].right)
        for one in trained
        if ("sc", "exact") in one.scores and ("sc", "moments") in one.scores
    ]
    if apart:
        only_exact, only_moments = (sum(pair[k] for pair in apart) for k in (0, 1))
        console.print(
            f"exact against moments on the same images: {only_exact} right only exactly, "
            f"{only_moments} only by moments; McNemar's "
            f"p = {mcnemar(only_exact, only_moments):.2g}",
            highlight=False,
        )


def _lengths(options: TrainOptions) -> str:
    """The stream lengths in words."""
    first = "".join(f"{bits} for {n} epochs, then " for bits, n in parse_schedule(options.schedule))
    own = any("stream_length" in rule for rule in options.products)
    return f"N = {first}{options.stream_length}{' (some products others)' if own else ''}"
