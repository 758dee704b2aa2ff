"""The report as a function: read or make the bits, test them, show and write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from formats.atomic import replacing, write_text
from formats.errors import InputError
from formats.json_file import write_json
from formats.progress import steps
from system.bitstream.randomness import ALPHA, Row, least_passes
from system.bitstream.report.analysis import SHOWN_LAGS, Analysis, analyse
from system.bitstream.report.options import StreamOptions, stage_provenance
from system.bitstream.report.origin import find
from system.bitstream.report.screen import show
from system.bitstream.report.sentences import sentences

JSON_FILE, BITS_FILE, PICTURE_FILE = "stream.json", "stream.npz", "stream.svg"


def run(options: StreamOptions) -> Analysis:
    """Test the stream; print the report and, with an output folder, write the three files.

    Raises :class:`formats.errors.InputError`.
    """
    _check_output(options)
    origin = find(options)
    with steps("stream", origin.sequences, options.quiet) as step:
        found = analyse(origin, debias=options.debias, keep=options.output is not None, step=step)
    if not options.quiet:
        show(found, Console())
    if options.output is not None:
        files = write(found, options, options.output)
        if not options.quiet:
            print("wrote " + ", ".join(str(path) for path in files))
    return found


def _check_output(options: StreamOptions) -> None:
    """Refuse, before the work, what could not be written or would overwrite the input."""
    folder, source = options.output, options.bits_file
    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        raise InputError("-o", f"{folder} is a file; give a folder")
    targets = [(folder / name).resolve() for name in (BITS_FILE, PICTURE_FILE, JSON_FILE)]
    if source is not None and source.resolve() in targets:
        raise InputError("-o", f"would overwrite the input {source}; give another folder")


def write(found: Analysis, options: StreamOptions, folder: Path) -> tuple[Path, ...]:
    """Write stream.npz, stream.svg and, last, stream.json; returns their paths."""
    from system.bitstream.report import picture as drawing  # matplotlib, a second to load

    bits, picture, report = (folder / name for name in (BITS_FILE, PICTURE_FILE, JSON_FILE))
    assert found.stream is not None
    with replacing(bits) as temporary, temporary.open("wb") as handle:
        words = found.stream.words.astype("<u8", copy=False)
        np.savez(handle, allow_pickle=False, words=words, length=np.int64(found.stream.length))
    write_text(picture, drawing.svg(found))
    write_json(report, {**content(found), "provenance": stage_provenance(options)}, "stream")
    return bits, picture, report


def content(found: Analysis) -> dict[str, Any]:
    """The report as JSON, without its provenance."""
    origin, share, lags = found.origin, found.share, found.lags
    kind = "measured" if origin.kind == "file" else "simulated"
    return {
        "schema": 1,
        "source": {
            "kind": origin.kind,
            "text": origin.text,
            "bits": kind,
            "sequences": origin.sequences,
            "length": origin.length,
        },
        "probability": {
            "asked": origin.asked,
            "expected": origin.expected,
            "expected_from": origin.why,
            "value": share.value,
            "ones": share.ones,
            "bits": share.bits,
            "interval95": list(share.interval95),
            "interval_from": "independent bits" if share.independent else "scatter of blocks",
            "p_asked": share.p_asked,
            "p_expected": share.p_expected,
            "blocks": share.blocks,
        },
        "autocorrelation": {
            "lag": lags.lag,
            "value": lags.corrected,
            "stderr_if_independent": lags.stderr,
            "z": lags.z,
            "expected_lag1": origin.expected_lag1,
            "tested_lags": SHOWN_LAGS,
        },
        "independence": {
            "rejected": found.independence.rejected,
            "p_all": found.independence.p_all,
            "strongest": found.independence.strongest,
            "tests": [_row(row) for row in found.independence.rows],
        },
        "sp800_22": {
            "reason_if_not_made": found.fair_reason,
            "von_neumann_bits": found.extracted,
            "tests": [_row(row) for row in found.fair],
        },
        "alpha": ALPHA,
        "sentences": list(sentences(found)),
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "test": row.label,
        "sees": row.sees,
        "note": row.note,
        "sequences": row.made,
        "passed": row.passed,
        "needed": least_passes(row.made) if row.made else 0,
        "uniformity": row.uniformity,
        "ok": row.ok,
        "statistic": [None if o is None else o.statistic for o in row.outcomes],
        "p": [None if o is None else o.p for o in row.outcomes],
    }
