"""technology.toml: a technology whose models come from files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from circuits.foundry.model_text import defined_models, only_needed, read_models
from devices.technology import IoClass, Mismatch, Ratings, Technology, Transistor
from devices.technology.areas import AreaRules
from formats.errors import InputError
from formats.json_file import parse_toml, read_text

NM = 1e-9
DEFAULT_TEMPERATURE = 300.0


def read_technology(path: Path, folder: Path | None = None) -> Technology:
    """Read a technology.toml and the model files it names.

    Model files lie in ``models.folder`` beside the file, or in ``folder`` where given. Raises
    :class:`InputError`: unknown or missing keys, files that are absent or refused, models that no
    file defines.
    """
    content = parse_toml(read_text(path), "technology", path)
    if content["default_io"] not in content["io"]:
        raise InputError(
            path,
            f"at default_io: {content['default_io']!r} is not among the classes of io "
            f"({', '.join(content['io'])})",
        )
    models = content["models"]
    if folder is None:
        folder = Path(path).parent / models.get("folder", ".")
        if not folder.resolve().is_relative_to(Path(path).parent.resolve()):
            raise InputError(path, "at models.folder: leads outside the folder of this file")
    transistors = _transistors(content)
    texts = {
        corner: _models(files, folder, transistors, f"{path}, at models.corners.{corner}")
        for corner, files in sorted(models["corners"].items(), key=lambda item: item[0] != "tt")
    }
    areas = content["areas"]
    return Technology(
        name=content["name"],
        supply=content["supply_V"],
        temperature=content.get("temperature_K", DEFAULT_TEMPERATURE),
        library=dict.fromkeys(texts, transistors),
        nmos_width=content["nmos"]["width_nm"] * NM,
        pmos_width=content["pmos"]["width_nm"] * NM,
        feature_size=content["feature_size_nm"] * NM,
        area_rules=AreaRules(
            areas["gate_pitch_nm"] * NM, areas["row_height_nm"] * NM, areas["source"]
        ),
        cells={name: area * 1e-12 for name, area in areas.get("cells_um2", {}).items()},
        cells_source=areas.get("cells_source", ""),
        io={name: _io_class(name, entry) for name, entry in content["io"].items()},
        io_class=content["default_io"],
        corner_source=models.get("corner_source", content["source"]),
        model_texts=texts,
        redistributable=content.get("redistributable", False),
    )


def _models(
    files: list[str], folder: Path, transistors: Mapping[str, Transistor], where: str
) -> str:
    """Text of one corner's files; every transistor's model must be in it."""
    try:
        text = "\n".join(read_models(file, folder) for file in files)
    except InputError as error:
        raise InputError(where, f"{error.where!r}: {error.problem}") from error
    defined = defined_models(text)
    for flavour, transistor in transistors.items():
        model = transistor.model.lower()
        binned = any(name.startswith(f"{model}.") for name in defined)
        if model not in defined and not binned:
            raise InputError(
                where,
                f"no file defines {transistor.model!r} ({flavour}); defined: "
                f"{', '.join(sorted(defined)[:12]) or 'nothing'}",
            )
    return only_needed(text, {t.model for t in transistors.values()})


def _transistors(content: Mapping[str, Any]) -> dict[str, Transistor]:
    source = content["source"]
    found = {polarity: _transistor(content[polarity], polarity, source) for polarity in _POLARITIES}
    for name, entry in content["io"].items():
        for polarity in _POLARITIES:
            found[f"{polarity}_{name}"] = _transistor(entry[polarity], polarity, source)
    return found


_POLARITIES = ("nmos", "pmos")


def _transistor(entry: Mapping[str, Any], polarity: str, source: str) -> Transistor:
    ratings, mismatch = entry["ratings"], entry["mismatch"]
    element = entry.get("element", "M")
    return Transistor(
        model=entry["model"],
        polarity=polarity,
        length=entry["length_nm"] * NM,
        oxide=entry["oxide_nm"] * NM,
        ratings=Ratings(ratings["vgs_V"], ratings["vgd_V"], ratings["vds_V"], ratings["source"]),
        mismatch=Mismatch(
            mismatch["a_vt_mV_um"] * 1e-9, mismatch["a_beta_percent_um"] * 1e-8, mismatch["source"]
        ),
        source=source,
        element=element,
        shift_by=entry.get("vt_shift", "delvto" if element == "M" else "gate"),
    )


def _io_class(name: str, entry: Mapping[str, Any]) -> IoClass:
    return IoClass(
        name=name,
        supply=entry["supply_V"],
        contact=entry["contact_nm"] * NM,
        contact_to_gate=entry["contact_to_gate_nm"] * NM,
        spacing=entry["spacing_nm"] * NM,
        source=entry["source"],
    )
