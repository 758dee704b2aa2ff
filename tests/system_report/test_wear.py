"""When devices fail: closed forms, scipy, draws with fixed seeds, and counts by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from devices.cbram import CBRAM
from devices.presets import knag2014
from formats.cells import Cells
from formats.errors import InputError
from formats.training import Training
from system.architecture import UNROLLED
from system.bitstream import StreamRules
from system.budget.layout import Layout
from system.budget.reading import workload
from system.budget.sng import sng_table
from system.budget.wear.disturb import TEN_YEARS, read_pulse, rests
from system.budget.wear.endurance import Endurance, EnduranceChoice
from system.budget.wear.failure import (
    Rates,
    failed_share,
    first_failure,
    images_to_share,
    survival,
)
from system.budget.wear.sharing import comparison, under_rules
from system.budget.wear.use import (
    capped,
    epoch_images,
    owned,
    pulse_rates,
    spread_out,
    training_groups,
)
from system.report.content import report
from system.report.wear import row_of
from tests import synthetic_training as synthetic
from tests.system_report.changes import bill, lengths, trained

WEIBULL = Endurance("weibull", 1e6, 2.5)
LOGNORMAL = Endurance("lognormal", 1e6, 0.7)
MIXED = Rates(np.array([3.0, 40.0, 200.0, 57.0]), np.array([90.0, 40.0, 7.0, 0.0]))


def scipy_of(endurance: Endurance) -> stats.rv_continuous:
    if endurance.law == "weibull":
        return stats.weibull_min(endurance.shape, scale=endurance.value)
    return stats.lognorm(endurance.shape, scale=endurance.value)


@pytest.mark.parametrize("endurance", [WEIBULL, LOGNORMAL], ids=lambda e: e.law)
def test_the_distribution_is_that_of_scipy(endurance: Endurance) -> None:
    theirs = scipy_of(endurance)
    cycles = np.geomspace(1e4, 1e7, 30)
    assert endurance.failed(cycles) == pytest.approx(theirs.cdf(cycles), rel=1e-10)
    assert endurance.hazard(cycles) == pytest.approx(-theirs.logsf(cycles), rel=1e-10)
    for share in (1e-9, 1e-3, 0.01, 0.5, 0.999):
        assert endurance.cycles_at_share(share) == pytest.approx(theirs.ppf(share), rel=1e-9)
    assert endurance.hazard(0.0) == 0


@pytest.mark.parametrize("devices", [1, 10, 70_798, 10**9])
def test_the_first_of_equal_weibulls_is_a_weibull_of_scale_n_to_minus_1_over_k(
    devices: int,
) -> None:
    rate, k = 250.0, WEIBULL.shape
    scale = WEIBULL.value / rate * devices ** (-1 / k)
    rates = Rates.alike(devices, rate)
    for p in (0.025, 0.5, 0.975):
        wanted = scale * (-math.log1p(-p)) ** (1 / k)
        assert first_failure(rates, WEIBULL, p) == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("endurance", [WEIBULL, LOGNORMAL], ids=lambda e: e.law)
def test_unequal_use_is_scipys_minimum_and_mixture(endurance: Endurance) -> None:
    theirs = scipy_of(endurance)
    first = first_failure(MIXED, endurance)
    log_survival = float(MIXED.counts @ theirs.logsf(MIXED.per_image * first))
    assert log_survival == pytest.approx(-math.log(2), rel=1e-9)
    assert survival(MIXED, endurance, first) == pytest.approx(0.5, rel=1e-9)
    for share in (1e-3, 1e-2, 0.3, 0.8):
        images = images_to_share(MIXED, endurance, share)
        found = float(MIXED.counts @ theirs.cdf(MIXED.per_image * images)) / 300
        assert found == pytest.approx(share, rel=1e-9)
    assert images_to_share(MIXED, endurance, 0.9) == math.inf  # 57 of 300 are never used


def test_times_are_those_of_drawn_devices() -> None:
    """4,000 arrays; each figure is within 4.9 standard errors (1e-6, were the seed free)."""
    random = np.random.default_rng(7)
    rates = np.repeat(MIXED.per_image[:3], MIXED.counts[:3].astype(int))
    lives = 1e6 * random.weibull(2.5, (4000, rates.size)) / rates
    first = first_failure(MIXED, WEIBULL)
    before = np.mean(lives.min(axis=1) < first)
    assert abs(before - 0.5) < 4.9 * math.sqrt(0.25 / 4000)
    images = images_to_share(MIXED, WEIBULL, 0.05)
    shares = np.sum(lives < images, axis=1) / 300
    assert abs(shares.mean() - 0.05) < 4.9 * shares.std() / math.sqrt(4000)


@pytest.mark.parametrize("endurance", [WEIBULL, LOGNORMAL], ids=lambda e: e.law)
def test_twice_the_use_is_half_the_time_and_endurance_scales_it(endurance: Endurance) -> None:
    for time in (first_failure, lambda r, e: images_to_share(r, e, 0.01)):
        once = time(MIXED, endurance)
        assert time(MIXED.times(2.0), endurance) == pytest.approx(once / 2, rel=1e-9)
        assert time(MIXED, endurance.at(1e9)) == pytest.approx(1e3 * once, rel=1e-9)


def test_devices_without_use_never_fail() -> None:
    idle = Rates.alike(100, 0.0)
    assert first_failure(idle, WEIBULL) == images_to_share(idle, WEIBULL, 0.01) == math.inf
    assert failed_share(idle, WEIBULL, 1e12) == 0 and survival(idle, WEIBULL, 1e12) == 1


def test_use_within_a_group_keeps_its_total_and_its_most_used_device() -> None:
    two = spread_out(100, 100, 30.0, 80.0, None)
    assert (two.devices, two.mean, two.most) == (100, pytest.approx(30.0), 80.0)
    assert two.counts.tolist() == [99, 1]
    classes = np.array([0.2, 0.5, 0.29, 0.01]), np.array([0.0, 10.0, 60.0, 70.0])
    total = float(classes[0] @ classes[1]) * 1000
    for built in (1000, 900):  # 100 that do nothing were not built
        found = spread_out(built, 1000, total / 1000, 95.0, classes)
        assert found.devices == pytest.approx(built) and found.most == 95.0
        assert found.total == pytest.approx(total)
        assert found.counts[-1] == 1
    assert spread_out(1, 1, 5.0, 5.0, classes).per_image.tolist() == [5.0]


def test_what_a_capped_device_cannot_do_the_others_do() -> None:
    found = capped(MIXED, 20.0, 50.0)
    assert found.mean == pytest.approx(20.0) and found.most == pytest.approx(50.0)
    assert found.per_image[-1] == 0
    assert capped(MIXED, MIXED.mean, 1e9).per_image == pytest.approx(MIXED.per_image)


def with_ranks(data: xr.Dataset) -> None:
    """Every group: a tenth at 1.55 times the mean, the rest just below it."""
    shares = np.array([0.9, 0.1])
    uses = np.broadcast_to([1e5 * 0.845 / 0.9, 1.55e5], (5, 3, 2))
    data["rank_share"] = (("rank",), shares)
    data["cycles_by_rank"] = (("layer", "operand", "rank"), uses.copy())


@pytest.mark.parametrize("change", [None, with_ranks], ids=["mean and most", "ranks"])
@pytest.mark.parametrize("streamed", [None, "momentum"])
def test_use_in_training_is_what_was_recorded(
    cells: Cells, change: object, streamed: str | None
) -> None:
    """Each group at 1e5 cycles in 3 epochs of 4,000 images, its most used device at 2e5."""
    training = trained(cells, change, streamed)  # type: ignore[arg-type]
    work = workload(training)
    images = 3 * epoch_images(training)
    groups = training_groups(training, work, sng_table(cells), 1.0)
    for group in groups:
        place = synthetic.LAYERS.index(group.layer)
        in_file = group.switching.devices
        if group.kind == "parameter" and streamed is None:
            in_file += synthetic.BIASES[place]  # without an SNG, as their update is binary
        if group.kind != "constant":
            assert group.switching.most == pytest.approx(2e5 / images)
            assert group.switching.total == pytest.approx(1e5 / images * in_file)
    assert sum(g.switching.devices for g in groups) == pytest.approx(work.all_generators())


def test_pulses_are_the_bits_of_each_device(cells: Cells) -> None:
    """fc1: two products with weights, 2 of momentum in batches of 32; the biases' only these."""
    work = workload(trained(cells, lengths(fc1__update=[64, 64, 64]), "momentum"))
    place = next(each for each in owned(work) if each[:2] == ("fc1", "parameter"))
    found = pulse_rates(work, work.products, place)
    assert found.per_image.tolist() == pytest.approx([512 + 2 * 64 / 32, 512, 2 * 64 / 32])
    assert found.counts.tolist() == [48_000, 0, 120]
    forward = pulse_rates(work, work.forward, place)
    assert forward.counts.tolist() == [48_000, 120]
    assert forward.per_image.tolist() == [256, 0]


@pytest.mark.parametrize("sharing", ["turns:4", "use"])
@pytest.mark.parametrize("life", ["image", "batch"])
def test_other_rules_are_costed_as_if_the_file_had_been_written_under_them(
    cells: Cells, life: str, sharing: str
) -> None:
    rules = StreamRules.parse(life, sharing)
    written = Training(
        cells.path, synthetic.attributes_for(cells, rules=rules), synthetic.lenet5(rules)
    )
    ours, theirs = workload(under_rules(trained(cells), rules)), workload(written)
    assert ours == theirs
    assert workload(under_rules(written, StreamRules())) == workload(trained(cells))


def test_a_device_for_each_use_wears_as_one_and_four_weights_wear_theirs_four_times(
    cells: Cells,
) -> None:
    training = trained(cells)
    work, table = workload(training), sng_table(cells)
    groups = training_groups(training, work, table, 1.0)
    rows = {
        (row.rules.life_text, row.rules.sharing_text): row
        for row in comparison(training, Layout(work, UNROLLED), table, 1.0, groups)
    }
    assert rows["image", "parameter"].trained and len(rows) == 6
    for (life, sharing), row in rows.items():
        factor = {"parameter": 1, "use": 1, "turns:4": 4}[sharing] / (32 if life == "batch" else 1)
        for before, after in zip(groups, row.groups, strict=True):
            wanted = factor if after.kind == "parameter" else 1
            if after.layer != "conv1":  # 150 weights on 38 SNGs
                assert after.switching.mean == pytest.approx(wanted * before.switching.mean)
                assert after.switching.most == pytest.approx(wanted * before.switching.most)


def test_images_epochs_and_seconds_of_the_report_agree(cells: Cells) -> None:
    training = trained(cells)
    found = bill(cells, training)
    content = report(cells, training, found, {}, EnduranceChoice(2e7, "lognormal", 0.3))["wear"]
    assert content["endurance"]["characteristic_cycles"] == 2e7
    rows = content["table"]
    assert {row["endurance_cycles"] for row in rows} == {1e4, 1e6, 1e9, 1e12, 2e7}
    for row in rows:
        for name in ("first", "per_mille", "percent"):
            images, seconds = row[f"images_to_{name}"], row[f"seconds_to_{name}"]
            if row["use"] == "training":
                assert row[f"epochs_to_{name}"] == pytest.approx(images / 4000)
                assert seconds == pytest.approx(images / found.timing.rate)
            else:
                assert row[f"epochs_to_{name}"] is None
                assert seconds == pytest.approx(images * max(1.0, found.timing.inference))
        low, high = row["images_to_first_interval95"]
        assert low < row["images_to_first"] < high
        assert row["images_to_first"] < row["images_to_per_mille"] < row["images_to_percent"]
    own = row_of(content, "training")
    assert own is not None and own["endurance_cycles"] == 2e7
    curve = next(each for each in content["curve"] if each["use"] == "training")
    failed = np.interp(own["images_to_percent"], curve["images"], curve["failed"]["all"])
    assert failed == pytest.approx(0.01, rel=0.1)
    assert content["this_training"]["images"] == 12_000
    stressed = next(r for r in rows if r["own"] and r["stress"] == "every pulse")
    # conv1 has no input gradient: its weights and errors make half the bits of all others.
    half = 4_704.0 + 150.0
    every = Rates(np.array([70_552.0 - half, half]), np.array([512.0, 256.0]))
    assert sum(r["devices"] for r in content["use"] if r["use"] == "training") == 70_552
    assert stressed["images_to_first"] == pytest.approx(
        first_failure(every, Endurance("lognormal", 2e7, 0.3))
    )


def test_worn_accuracies_are_told_with_their_state(cells: Cells) -> None:
    def change(data: xr.Dataset) -> None:
        data["worn_share"] = (("worn",), [0.0, 0.01])
        data["worn_correct"] = (("seed", "worn", "stuck"), [[[95, 95], [90, 50]]] * 2)
        data["worn_images"] = ((), 100)
        data.coords["stuck"] = ["hrs", "lrs"]

    training = trained(cells, change)
    rows = report(cells, training, bill(cells, training), {})["wear"]["accuracy_with_worn_devices"]
    assert [(row["failed"], row["stuck"], row["accuracy"]) for row in rows] == [
        ("none", None, 0.95), ("first", None, 0.95), ("1 %", "hrs", 0.9), ("1 %", "lrs", 0.5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (EnduranceChoice(0.5), "--endurance: is 0.5"),
        (EnduranceChoice(math.nan), "--endurance: is nan"),
        (EnduranceChoice(law="normal"), "--endurance-law: is 'normal'"),
        (EnduranceChoice(shape=0.0), "--endurance-shape: is 0"),
    ],
)
def test_endurances_that_cannot_be_are_refused(choice: EnduranceChoice, text: str) -> None:
    with pytest.raises(InputError, match=text):
        choice.check()


def test_read_disturb_is_a_pulse_of_the_law() -> None:
    device = knag2014()
    found = read_pulse(device, 1.1, 1.22e-6)
    wanted = 1 - math.exp(-1.22e-6 / (2.85e5 * math.exp(-1.1 / 0.156)))
    assert found.hrs == pytest.approx(wanted, rel=1e-6)
    assert found.hrs == pytest.approx(float(device.set.probability(np.array([1.1]), 1.22e-6)[0]))
    assert found.hrs_after_write == pytest.approx(found.hrs, rel=1e-5)  # no memory of the write
    assert found.lrs == 0 and found.extrapolated
    assert found.per_stream(256) == pytest.approx(1 - (1 - wanted) ** 256, rel=1e-5)
    assert not read_pulse(device, 3.0, 1.22e-6).extrapolated


def test_read_disturb_is_what_simulated_devices_do() -> None:
    """Reads of 2.9 V for 0.3 ms after writes of P = 1/2, 20,000 devices; within 4.9 sigma."""
    device = knag2014()
    found = read_pulse(device, 2.9, 3e-4)
    thresholds = device.set.sample_thresholds(np.random.default_rng(3), 20_000)
    after_write = thresholds > math.log(2)
    after_read = thresholds > math.log(2) + device.set.rate(np.array([2.9]))[0] * 3e-4
    held = int(after_write.sum())
    lost = 1 - after_read.sum() / held
    sigma = math.sqrt(found.hrs_after_write * (1 - found.hrs_after_write) / held)
    assert abs(lost - found.hrs_after_write) < 4.9 * sigma


def test_at_rest_nothing_is_lost_in_use_and_all_by_the_formula() -> None:
    device: CBRAM = knag2014()
    (hrs,) = rests(device)  # an ideal RESET says nothing of LRS
    assert hrs.state == "HRS" and hrs.rate_in_use == 0
    assert hrs.tau == pytest.approx(2.85e5)
    assert hrs.switched(1e-4) == pytest.approx(1e-4 / 2.85e5, rel=1e-6)
    assert hrs.switched(TEN_YEARS) == 1.0
