"""Prints the licence of each dependency; fails on one that is unknown or does not fit the GPL 3.

    python tools/licences.py LICENCES.json     (of pip-licenses --format=json)

GPL-3.0-or-later may be delivered with what the Free Software Foundation lists as compatible: the
permissive licences below, MPL 2.0, LGPL, GPL 2 or later and 3. Words are compared, because packages
write the same licence in many ways; a package whose words say nothing is named in ``READ`` with
what its licence file says.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ACCEPTED = re.compile(
    r"\b(MIT(-0)?|BSD|0BSD|[23]-Clause|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|"
    r"Zlib|Unlicense|CC0|HPND|Historical Permission|LGPL|Lesser|GPLv3|GPL-3|GPL-2\.0-or-later|"
    r"GNU General Public License)",
    re.IGNORECASE,
)
REFUSED = re.compile(
    r"GPL-2\.0-only|GPLv2(?!\+)|proprietary|commercial|SSPL|BUSL|non-commercial", re.IGNORECASE
)
READ: dict[str, str] = {}
"""Packages without a licence in their metadata, and what their licence file is (read)."""
OURS = "stochram"


def problems(found: list[dict[str, str]]) -> list[str]:
    """Names of the packages whose licence is unknown or refused."""
    wrong = []
    for one in found:
        words = READ.get(one["Name"], one["License"])
        if not ACCEPTED.search(words) or REFUSED.search(words):
            wrong.append(f"{one['Name']} {one['Version']}: {words}")
    return wrong


def main() -> int:
    """Print the table; 1 where a licence does not fit."""
    found = [one for one in json.loads(Path(sys.argv[1]).read_text()) if one["Name"] != OURS]
    for one in sorted(found, key=lambda one: one["Name"].lower()):
        words = " ".join(READ.get(one["Name"], one["License"]).split())
        print(f"  {one['Name']:28s} {one['Version']:14s} {words[:70]}")
    wrong = problems(found)
    for line in wrong:
        print(f"licence unknown or not compatible with GPL-3.0-or-later: {line}", file=sys.stderr)
    print(f"{len(found)} packages, {len(wrong)} with a licence that is unknown or does not fit")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
