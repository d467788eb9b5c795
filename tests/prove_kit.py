"""Prove the conformance kit: every case against our own server, the gauntlet, and the kill matrix over every fault, over real sockets.

Usage: ``python tests/prove_kit.py DIR``; reports and pages are written there. Exit status 0: the server conforms, no case passes on a stub,
and no fault survives.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.running import free_port, lab


def main(out: Path) -> int:
    """Run all three; the number of those that failed."""
    failed = []
    with tempfile.TemporaryDirectory(prefix="privca-kit-") as place:
        # Any free ports: nothing else on the machine is disturbed.
        ports = ["--http01-port", str(free_port()), "--tlsalpn01-port", str(free_port())]
        with lab(Path(place) / "lab", "--faults", *ports) as running:
            target = running.directory / "target.toml"
            for name, arguments in (
                ("run", ["run", "--target", str(target), "--install-tools"]),
                ("gauntlet", ["gauntlet"]),
                ("kill matrix", ["kill-matrix", "--target", str(target)]),
            ):
                print(f"== {name}", flush=True)
                # Longer than any of them takes on a machine with much else to do.
                done = subprocess.run(
                    [sys.executable, "-m", "conformance", *arguments, "--out", str(out)], timeout=1200, check=False
                )
                if done.returncode:
                    failed.append(f"{name} (exit status {done.returncode})")
    print(f"failed: {', '.join(failed)}" if failed else f"the kit is proven; reports are in {out}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
