"""Whether a text from a user is a file or a folder: what is too long or no name at all is neither.

``pathlib`` raises OSError for such a text (a name of 5,000 letters), which would end a command.
"""

from __future__ import annotations

from pathlib import Path


def is_file(path: str | Path) -> bool:
    """Whether there is a file at ``path``."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: str | Path) -> bool:
    """Whether there is a folder at ``path``."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False
