"""What the command says at the end."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

from devices.synapse import Synapse
from formats.plural import plural
from formats.synapse_training import ARITHMETICS, SynapseTraining


def summary(training: SynapseTraining) -> None:
    """Print accuracies, what spoilt images cost, and what the devices had to bear."""
    data, about = training.data, training.attributes
    tested, seeds = int(about["test_images"]), data.sizes["seed"]
    synapse = Synapse.from_dict(training.synapse)
    console = Console()
    table = Table(
        title=f"Test accuracy on {about['images']} (simulated, mean of {seeds} "
        f"{plural(seeds, 'seed')})",
        caption=f"{about['network']} on {synapse.name}: dynamic range {synapse.dynamic_range:.3g}, "
        f"{synapse.potentiation.levels.value:.3g} levels, {about['cells']}, rule {about['rule']}",
    )
    for heading in ("images", "float", "on synapses", "points lost"):
        table.add_column(heading)
    right = data["correct"].sum("seed")
    cells = []
    for name in ARITHMETICS:
        count, of = int(right.sel(arithmetic=name)), tested * seeds
        low, high = binomtest(count, of).proportion_ci(method="wilson")
        cells.append(f"{100 * count / of:.2f} % ({100 * low:.2f} to {100 * high:.2f})")
    lost = float(right.sel(arithmetic="float") - right.sel(arithmetic="synapses"))
    table.add_row("as they are", *cells, f"{100 * lost / tested / seeds:.2f}")
    spoilt = data["corrupted_correct"].sum("seed") / (tested * seeds)
    for corruption in data["corruption"].values:
        for step in range(data.sizes["step"]):
            plain, ours = (
                float(spoilt.sel(arithmetic=name, corruption=corruption)[step])
                for name in ARITHMETICS
            )
            strength = float(data["strength"].sel(corruption=corruption)[step])
            table.add_row(
                f"{str(corruption).replace('_', ' ')} {strength:g}",
                f"{100 * plain:.2f} %",
                f"{100 * ours:.2f} %",
                f"{100 * (plain - ours):.2f}",
            )
    console.print(table)
    devices = data["devices"]

    def mean(name: str) -> float:
        return float((data[name] * devices).sum() / devices.sum())

    console.print(
        f"pulses on each of {int(devices.sum())} devices: {mean('first_pulses'):.1f} to program "
        f"the first weights, {mean('pulses'):.1f} to train, "
        f"{float(data['most_pulses'].max()):.0f} on the most used one; at an end state at last: "
        f"{100 * mean('at_end'):.1f} %",
        highlight=False,
    )
