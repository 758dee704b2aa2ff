"""Says what pip-audit found: weaknesses fail, and what could not be looked up is said.

    python tools/audit.py AUDIT.json AUDIT.txt     (its answer, and what it printed)

Where the data base of advisories cannot be reached nothing is known, and that is what is printed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> int:
    """Print a summary; 1 where a locked version has a known weakness."""
    answer, said = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        dependencies = json.loads(answer.read_text())["dependencies"]
    except (OSError, ValueError, KeyError):
        last = (said.read_text().strip().splitlines() or ["no answer"])[-1]
        print(f"NOT AUDITED: pip-audit gave no answer ({last[:200]})")
        return 0
    skipped = [one["name"] for one in dependencies if "skip_reason" in one]
    weak = [one for one in dependencies if one.get("vulns")]
    for one in weak:
        for each in one["vulns"]:
            fixed = ", ".join(each.get("fix_versions", [])) or "no version yet"
            print(f"  {one['name']} {one['version']}: {each['id']}, mended in {fixed}")
    audited = len(dependencies) - len(skipped)
    print(f"{audited} of {len(dependencies)} packages audited, {len(weak)} with known weaknesses")
    if skipped:
        print(
            f"NOT AUDITED: {len(skipped)} packages, of which the registry here gives no advisories"
        )
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(main())
