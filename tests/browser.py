"""A headless Chromium for tests: one that is installed, never one that is fetched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def _missing() -> str:
    """What a browser test lacks here; empty where it can run."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium (pip install stochram[dev])"
    if not any(map(shutil.which, BROWSERS)):
        return "chromium (Debian: apt-get install chromium)"
    return "" if shutil.which("chromedriver") else "chromedriver (apt-get install chromium-driver)"


@contextmanager
def chromium(downloads: Path) -> Iterator[Any]:
    """A driver that logs the console and every request, and saves files to ``downloads``.

    Skips the test where something is missing, and fails it if STOCHRAM_REQUIRE_BROWSER is set.
    """
    if missing := _missing():
        if os.environ.get("STOCHRAM_REQUIRE_BROWSER"):
            pytest.fail(f"{missing} is absent, and STOCHRAM_REQUIRE_BROWSER asks for it")
        pytest.skip(f"{missing} is absent")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(next(filter(None, map(shutil.which, BROWSERS))))
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    try:
        driver.set_script_timeout(120)
        yield driver
    finally:
        driver.quit()
