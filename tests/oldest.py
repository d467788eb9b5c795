"""Write the lowest version of each dependency that pyproject.toml allows, as constraints for pip: what the tox env ``oldest`` installs.

Usage: ``python tests/oldest.py FILE``
"""

import re
import sys
import tomllib
from pathlib import Path


def lowest(requirements: list[str]) -> list[str]:
    """``name==version`` for each ``name[extra]>=version,...``; a requirement without a lower bound is an error, it cannot be held."""
    pins = []
    for requirement in requirements:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*>=\s*([0-9][0-9A-Za-z.]*)(?:,.*)?", requirement)
        if match is None:
            raise SystemExit(f"pyproject.toml: {requirement!r} names no lowest version")
        pins.append(f"{match[1]}=={match[2]}")
    return pins


if __name__ == "__main__":
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    Path(sys.argv[1]).write_text("\n".join(lowest(project["dependencies"] + project["optional-dependencies"]["test"])) + "\n")
