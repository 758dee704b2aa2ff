"""report.html in a real browser: charts, network, phone, paper, dark, keyboard, downloads."""

from __future__ import annotations

import base64
import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from formats.cells import read_cells
from formats.training import read_training
from system.report.quantity import quantity, whole
from tests.browser import chromium
from tests.synthetic_training import synthetic_training
from tests.system_report.pages import cells_with_a_waveform, fit_json, whole_content, whole_page

DRAW = """
const [most, done] = arguments;
(async () => {
  for (const frame of [...document.querySelectorAll("[data-chart]")].slice(0, most)) {
    frame.scrollIntoView();
    for (let k = 0; k < 3000 && !frame.querySelector(".live .main-svg"); k++)
      await new Promise((after) => setTimeout(after, 20));
  }
  done(document.querySelectorAll("[data-chart]").length);
})();
"""
EVERY = 99
INK = {"light": "rgb(27, 33, 39)", "dark": "rgb(228, 232, 236)"}
"""--ink of style.css."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def driver(folder: Path) -> Iterator[Any]:
    """First of all fixtures: without a browser nothing else is made."""
    with chromium(folder) as found:
        yield found


@pytest.fixture(scope="module")
def address(driver: Any, folder: Path) -> str:
    """A page with every section and a fit."""
    path = cells_with_a_waveform(folder / "cells.nc", fit_json=fit_json())
    pair = read_cells(path), read_training(synthetic_training(folder / "training.nc", path))
    (folder / "report.html").write_text(whole_page(*pair, whole_content(*pair)), "utf-8")
    return (folder / "report.html").as_uri()


def see(driver: Any, width: int = 1200, scheme: str = "light", media: str = "") -> None:
    """Set the window's width, the preferred colours and the medium."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def shown(driver: Any, selector: str) -> list[bool]:
    script = "return [...document.querySelectorAll(arguments[0])].map(e => e.offsetParent !== null)"
    return list(driver.execute_script(script, selector))


def test_draws_every_chart_without_an_error_or_a_request(driver: Any, address: str) -> None:
    see(driver)
    driver.get_log("performance")
    driver.get(address)
    assert driver.execute_async_script(DRAW, EVERY) >= 14
    assert driver.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [m for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [m["params"]["request"]["url"] for m in asked] == [address]
    wanted = json.loads(
        driver.execute_script("return document.getElementById('charts').textContent")
    )
    drawn = driver.execute_script(
        """return Object.fromEntries([...document.querySelectorAll("[data-chart]")].map(f => {
          const live = f.querySelector(".live"), size = live.getBoundingClientRect();
          return [f.dataset.chart, [live.data.length, size.width, size.height,
            live.querySelectorAll(".scatterlayer .trace, .barlayer .trace").length]];
        }))"""
    )
    assert set(drawn) == set(wanted)
    for name, (traces, across, high, marks) in drawn.items():
        assert traces == marks == len(wanted[name]["data"]), name
        assert across > 300 and high >= wanted[name]["layout"]["height"], name
    assert not any(shown(driver, ".static")) and all(shown(driver, ".live"))


def test_a_refused_request_would_be_seen(driver: Any, address: str) -> None:
    """The page's policy stops what tries to leave it, and the log tells."""
    driver.get(address)
    driver.execute_async_script(
        "fetch('https://example.org').finally(() => arguments[0]()).catch(() => 0)"
    )
    assert any("Content Security Policy" in entry["message"] for entry in driver.get_log("browser"))


def test_fits_a_phone(driver: Any, address: str) -> None:
    see(driver, width=390)
    driver.get(address)
    driver.execute_async_script(DRAW, EVERY)
    wide, window, charts, texts = driver.execute_script(
        """return [document.documentElement.scrollWidth, innerWidth,
          Math.max(...[...document.querySelectorAll(".live")].map(e => e.offsetWidth)),
          Math.max(...[...document.querySelectorAll("p, li, .card, h1, h2, .about")].map(
            e => e.getBoundingClientRect().right))]"""
    )
    assert wide == window == 390 and charts <= 390 and texts <= 390
    scrolled = driver.execute_script(
        """const one = document.querySelector("#table-bill .scroll"); one.scrollLeft = 50;
        return [one.scrollLeft, one.scrollWidth > one.clientWidth, scrollX]"""
    )
    assert scrolled == [50, True, 0]
    see(driver)


def test_charts_follow_the_colours_of_the_reader(driver: Any, address: str) -> None:
    see(driver, scheme="dark")
    driver.get(address)
    driver.execute_async_script(DRAW, 3)
    colours = """return [getComputedStyle(document.body).color, [...new Set([...document
      .querySelectorAll(".drawn .xtick text")].map(e => getComputedStyle(e).fill))]]"""
    for scheme in ("dark", "light"):
        see(driver, scheme=scheme)
        for _ in range(600):
            ink, ticks = driver.execute_script(colours)
            if ticks == [INK[scheme]]:
                break
            time.sleep(0.05)
        assert ink == INK[scheme] and ticks == [INK[scheme]]


def test_paper_gets_the_drawings_in_dark_ink(driver: Any, address: str) -> None:
    see(driver, scheme="dark")
    driver.get(address)
    driver.execute_async_script(DRAW, 3)
    see(driver, scheme="dark", media="print")
    assert all(shown(driver, ".static")) and not any(shown(driver, ".live"))
    colour, edge = driver.execute_script(
        """return [getComputedStyle(document.querySelector(".static svg")).color,
          Math.max(...[...document.querySelectorAll(".static")].map(e => e.offsetWidth))]"""
    )
    assert colour == "rgb(0, 0, 0)" and edge > 200
    printed = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    paper = base64.b64decode(printed["data"])
    assert paper.startswith(b"%PDF") and paper.count(b"/Type /Page\n") > 5
    see(driver)


def test_without_javascript_the_drawings_stand(driver: Any, address: str) -> None:
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.get(address)
        assert all(shown(driver, ".static")) and not any(shown(driver, ".live"))
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_the_keyboard_reaches_the_summary_and_every_table(driver: Any, address: str) -> None:
    from selenium.webdriver.common.keys import Keys

    driver.get(address)
    driver.find_element("tag name", "body").send_keys(Keys.TAB)
    assert driver.switch_to.active_element.text == "Skip to the summary"
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert driver.current_url.endswith("#summary")
    unreached = driver.execute_script(
        """return [...document.querySelectorAll(".scroll, summary, .download")].filter(
          e => { e.focus(); return document.activeElement !== e; }).length"""
    )
    assert unreached == 0


def test_a_downloaded_csv_is_the_table(driver: Any, address: str, folder: Path) -> None:
    driver.get(address)
    names = [
        link.get_attribute("download") for link in driver.find_elements("class name", "download")
    ]
    assert len(names) == len(set(names)) > 15
    # A page may save one file by itself; the others want a click of the user, on what can be seen.
    driver.execute_script("document.querySelectorAll('details').forEach(d => (d.open = true))")
    for name in names:
        for _ in range(10):  # a chart drawn meanwhile may move the link away from the click
            save(driver, folder, name)
            if saved(folder, name):
                break
        rows = list(csv.reader((folder / name).open(encoding="utf-8", newline="")))
        texts = table(driver, name)
        assert len(rows) == len(texts), name
        # Thousands stand apart on the page, with narrow spaces.
        shown = [row[0].replace("\u202f", "") for row in texts[1:]]
        assert [row[0] for row in rows[1:]] == shown, name
    assert [heading.split(" (")[0] for heading in read(folder, "bill")[0]] == table(driver, "bill")[
        0
    ]
    for row, cells in zip(read(folder, "bill")[1:-1], table(driver, "bill")[1:-1], strict=True):
        numbers = [float(text) for text in row[2:]]
        units = ("", "m2", "m2", "J", "", "J", "J", "W")
        for number, unit, cell in zip(numbers, units, cells[2:], strict=True):
            assert (quantity(number, unit) if unit else whole(number)) == cell


def save(driver: Any, folder: Path, name: str) -> None:
    """Click on a table's link and wait a little for its file."""
    from selenium.common.exceptions import WebDriverException

    link = driver.find_element("css selector", f"[download='{name}']")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", link)
    try:
        link.click()
    except WebDriverException:  # something else lies there for a moment
        return
    for _ in range(100):
        if saved(folder, name):
            return
        time.sleep(0.05)


def saved(folder: Path, name: str) -> bool:
    """Whether a file has come whole: the browser keeps its place with an empty one meanwhile."""
    return (folder / name).is_file() and (folder / name).stat().st_size > 0


def read(folder: Path, name: str) -> list[list[str]]:
    return list(csv.reader((folder / f"{name}.csv").open(encoding="utf-8", newline="")))


def table(driver: Any, name: str) -> list[list[str]]:
    """Texts of the cells of a table on the page."""
    script = """return [...document.querySelectorAll(`#table-${arguments[0]} tr`)].map(
      row => [...row.children].map(cell => cell.textContent))"""
    return list(driver.execute_script(script, name.removesuffix(".csv")))
