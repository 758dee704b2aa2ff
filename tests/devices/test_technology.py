"""The Technology interface: corners, I/O classes, ratings, mismatch, areas, costs. No simulator."""

from __future__ import annotations

import math

import numpy as np
import pytest

from devices.technology import CMOS40LP, CORNERS, ROLES, TECHNOLOGIES
from devices.technology.areas import PITCHES, TOLERANCE, AreaRules, CellArea, poly_pitches
from devices.technology.cmos40lp import CORE_SHIFT, NANGATE45_UM2
from devices.technology.costs import charge_pump, level_shifter


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("io_class", ["2.5", "3.3", "5"])
def test_every_role_exists_in_every_corner_and_class(corner: str, io_class: str) -> None:
    technology = CMOS40LP.at(corner, 358.0).with_io(io_class)
    text = technology.models_text()
    for role in ROLES:
        transistor = technology.transistors[role]
        assert transistor.polarity == role[:4]
        assert f".model {transistor.model} {transistor.polarity} " in text
    assert text.endswith(".temp 84.85")
    assert (technology.corner, technology.io_class, technology.temperature) == (
        corner,
        io_class,
        358.0,
    )


def test_corners_move_only_the_four_stated_parameters_and_fast_is_the_mirror_of_slow() -> None:
    tt, ff, ss = (CMOS40LP.library[c] for c in ("tt", "ff", "ss"))
    assert list(tt) == list(ff) == list(ss)
    for flavour, typical in tt.items():
        for moved in (ff[flavour], ss[flavour]):
            changed = {k for k in moved.card if moved.card[k] != typical.card.get(k)}
            assert changed == {"vth0", "toxe", "u0", "xl"}
        for key in ("vth0", "toxe", "u0"):
            assert ff[flavour].card[key] + ss[flavour].card[key] == pytest.approx(
                2 * typical.card[key], rel=1e-12
            )
        assert abs(ff[flavour].card["vth0"]) < abs(typical.card["vth0"])
        assert ff[flavour].card["u0"] > typical.card["u0"]
        assert ff[flavour].card["xl"] < typical.card.get("xl", 0.0)
    slow = abs(ss["pmos"].card["vth0"]) - abs(tt["pmos"].card["vth0"])
    assert slow == pytest.approx(CORE_SHIFT.vth0)


def test_wrong_conditions_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="corner 'fs': cmos40lp has tt, ff, ss"):
        CMOS40LP.at("fs")
    with pytest.raises(ValueError, match="temperature 85 K: expected 200 to 475"):
        CMOS40LP.at(temperature=85.0)
    with pytest.raises(ValueError, match=r"I/O class '1.8': cmos40lp has 2.5, 3.3, 5"):
        CMOS40LP.with_io("1.8")


def test_io_classes_are_listed_with_their_supply_and_default_to_3_3() -> None:
    assert CMOS40LP.io_classes == {"2.5": 2.5, "3.3": 3.3, "5": 5.0}
    assert CMOS40LP.io_class == "3.3"
    assert CMOS40LP.with_io("5").io_supply == 5.0


def test_higher_classes_are_rated_longer_thicker_and_larger() -> None:
    classes = [CMOS40LP.with_io(name) for name in CMOS40LP.io_classes]
    for role in ("nmos_io", "pmos_io"):
        for quantity in ("length", "oxide"):
            values = [getattr(t.transistors[role], quantity) for t in classes]
            assert values == sorted(set(values)), quantity
        rated = [t.transistors[role].ratings.lowest for t in classes]
        assert rated == sorted(set(rated))
        for technology in classes:
            transistor = technology.transistors[role]
            field = transistor.ratings.vgs / transistor.oxide
            assert 3e8 < field < 6e8  # V/m: what thick oxides bear for years
            assert transistor.card["toxe"] == transistor.oxide
    assert [t.io_area(1e-6) for t in classes] == sorted({t.io_area(1e-6) for t in classes})


@pytest.mark.parametrize(
    ("voltage", "expected"), [(0.5, "2.5"), (2.75, "2.5"), (2.76, "3.3"), (3.7, "5"), (5.5, "5")]
)
def test_the_lowest_class_that_bears_a_voltage_is_chosen(voltage: float, expected: str) -> None:
    assert CMOS40LP.lowest_io_class(voltage) == expected


def test_a_voltage_no_class_bears_is_refused() -> None:
    with pytest.raises(ValueError, match=r"6 V: no I/O class of cmos40lp bears it.*5 V.*5\.5 V"):
        CMOS40LP.lowest_io_class(6.0)


def test_4f_12f_only_where_the_core_survives() -> None:
    core, source = CMOS40LP.one_t_one_r_area(1.3, 1e-6)
    assert core == pytest.approx(0.0768e-12)
    assert "4F x 12F" in source
    area, source = CMOS40LP.one_t_one_r_area(3.4, 1e-6)
    assert area == CMOS40LP.with_io("3.3").io_area(1e-6)
    assert "3.3-V access transistor" in source
    higher, source = CMOS40LP.one_t_one_r_area(4.2, 1e-6)
    assert higher == CMOS40LP.with_io("5").io_area(1e-6) > area > core
    assert "5-V access transistor" in source


def test_io_area_is_its_rule() -> None:
    # 0.35 um gate, two regions of 0.06 + 2 x 0.09 um; 1 um width and 0.30 um spacing.
    assert CMOS40LP.io_area(1e-6) == pytest.approx((0.35 + 0.48) * 1.30 * 1e-12)


def test_mismatch_follows_pelgrom() -> None:
    one = CMOS40LP.sigma_vt("nmos", 1e-6, 40e-9)
    assert CMOS40LP.sigma_vt("nmos", 4e-6, 40e-9) == pytest.approx(one / 2)
    pair = math.sqrt(2) * one
    assert pair == pytest.approx(3.5e-9 / math.sqrt(1e-6 * 40e-9))
    assert CMOS40LP.sigma_vt("nmos_io", 1e-6, 1e-6) > CMOS40LP.sigma_vt("nmos", 1e-6, 1e-6)
    assert math.sqrt(2) * CMOS40LP.sigma_beta("pmos", 1e-6, 1e-6) == pytest.approx(0.01)
    # Wider is better for I/O classes of thinner oxide.
    low, high = CMOS40LP.with_io("2.5"), CMOS40LP.with_io("5")
    assert low.sigma_vt("nmos_io", 1e-6, 1e-6) < high.sigma_vt("nmos_io", 1e-6, 1e-6)


@pytest.mark.parametrize("name", TECHNOLOGIES)
def test_cells_within_15_percent_are_derived_the_others_published(name: str) -> None:
    table = TECHNOLOGIES[name].gate_area_table
    assert set(table) == set(PITCHES) == set(NANGATE45_UM2)
    for cell, area in table.items():
        assert area.published is not None and area.ratio is not None
        assert area.published == pytest.approx(NANGATE45_UM2[cell] * 1e-12 * (40 / 45) ** 2)
        close = abs(area.derived / area.published - 1) <= TOLERANCE
        assert area.used == (area.derived if close else area.published)
        assert abs(area.used / area.published - 1) <= TOLERANCE
    assert {c for c, a in table.items() if a.used == a.published} == {"dff", "dffr"}


def test_published_area_is_used_beyond_15_percent_and_none_is_needed() -> None:
    assert CellArea(3, 1.16, 1.0).used == 1.0
    assert CellArea(3, 1.14, 1.0).used == 1.14
    assert CellArea(3, 1.14, None).used == 1.14
    assert AreaRules(2.0, 3.0, "").area(4) == 24.0


def test_poly_pitches_of_textbook_cells() -> None:
    def pull(*branches: str) -> list[tuple[str, str]]:
        return [tuple(branch.split("-")) for branch in branches]  # type: ignore[misc]

    assert poly_pitches(pull("y-vss"), pull("y-vdd")) == 2
    assert poly_pitches(pull("y-m", "m-vss"), pull("y-vdd", "y-vdd")) == 3
    # Two inverters side by side share their rail; two whose diffusions never meet do not.
    assert poly_pitches(pull("y-vss", "z-vss"), pull("y-vdd", "z-vdd")) == 3
    assert poly_pitches(pull("a-b", "c-d"), []) == 4
    # A star of three needs two runs.
    assert poly_pitches(pull("a-vss", "b-vss", "c-vss"), []) == 5


def test_level_shifter_energy_is_its_node_times_voltage_squared() -> None:
    nominal = level_shifter(CMOS40LP)
    half = level_shifter(CMOS40LP, CMOS40LP.io_supply / 2)
    assert half.energy_per_transition == pytest.approx(nominal.energy_per_transition / 4)
    n = CMOS40LP.transistors["nmos_io"]
    gate = 3.9 * 8.854e-12 / n.oxide * n.length * 1.5e-6
    assert nominal.energy_per_transition == pytest.approx(2 * gate * 3.3**2, rel=1e-3)
    assert nominal.area > 3 * CMOS40LP.io_area(1e-6)
    with pytest.raises(ValueError, match=r"rated 3\.63 V"):
        level_shifter(CMOS40LP, 4.0)


def test_charge_pump_is_the_best_of_all_stage_numbers_and_its_charge_adds_up() -> None:
    voltage, current, frequency = 3.3, 10e-6, 50e6
    pump = charge_pump(CMOS40LP, voltage, current, frequency)
    supply = CMOS40LP.supply

    def by_charge(stages: int) -> float:
        """Output over input power, from the charge of one period."""
        c = stages * current / frequency / ((stages + 1) * supply - voltage)  # of one stage
        charge = (stages + 1) * current / frequency + stages * 0.1 * c * supply
        return voltage * current / (supply * charge * frequency)

    assert pump.efficiency == pytest.approx(max(by_charge(n) for n in range(3, 30)))
    assert pump.efficiency == pytest.approx(by_charge(pump.stages))
    assert 0.3 < pump.efficiency < 0.8
    assert charge_pump(CMOS40LP, voltage, 2 * current).area == pytest.approx(2 * pump.area)
    for wrong in (1.0, 4.0):
        with pytest.raises(ValueError, match="charge pump"):
            charge_pump(CMOS40LP, wrong, current)


def test_models_reference_names_models_without_their_text() -> None:
    text = CMOS40LP.models_reference()
    assert "toxe" not in text
    assert all(t.model in text for t in CMOS40LP.transistors.values())
    assert all(line.startswith(("*", ".temp")) for line in text.splitlines())


def test_every_source_says_its_kind() -> None:
    kinds = ("taken", "assumed", "recalled", "derived", "simulated")
    for corner in CMOS40LP.library.values():
        for t in corner.values():
            for source in (t.source, t.ratings.source, t.mismatch.source):
                assert any(kind in source for kind in kinds), source
    assert all(
        any(kind in text for kind in kinds)
        for text in (CMOS40LP.gate_area_source, CMOS40LP.io_area_source, CMOS40LP.corner_source)
    )
    assert np.isfinite(CMOS40LP.supply)
