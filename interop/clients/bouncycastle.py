"""What the drivers of BouncyCastle share: a small Java program is compiled when it is run."""

from __future__ import annotations

from pathlib import Path

from interop.clients.driving import Driver

JARS = ":".join(f"/usr/share/java/{name}.jar" for name in ("bcprov", "bcutil", "bcpkix"))


class BouncyCastle(Driver):
    """A Java program of this package, with BouncyCastle's classes."""

    def java(self, source: Path, *arguments: str, secret: str = "") -> str:
        """Compile and run it."""
        # One thread that compiles, and a small heap: many of these run side by side.
        options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"]
        return self.run(["java", *options, "-cp", JARS, str(source), *arguments], SECRET=secret)
