"""The matrix as one page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from pathlib import Path

import jinja2

from interop.probes import PROBES
from interop.results import Results, Row
from interop.scenarios import SCENARIOS

TEMPLATES = Path(__file__).parent


def write(results: Results, out: Path) -> None:
    """Write ``index.html``."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    titles = {id: probe.title for id, probe in PROBES.items()} | {id: scenario.title for id, scenario in SCENARIOS.items()}
    cells: dict[tuple[str, str], Row] = {(row.client, row.scenario): row for row in results.rows}
    text = environment.get_template("page.html.j2").render(
        results=results,
        clients=list(dict.fromkeys(row.client for row in results.rows)),
        matrices=[
            {
                "protocol": protocol,
                "clients": list(dict.fromkeys(row.client for row in results.rows if row.protocol == protocol)),
                "scenarios": [id for id in titles if any((row.scenario, row.protocol) == (id, protocol) for row in results.rows)],
            }
            for protocol in dict.fromkeys(row.protocol for row in results.rows)
        ],
        titles=titles,
        cells=cells,
        files={
            row: sorted(path.name for path in (out / row.folder).iterdir())
            for row in results.rows
            if row.folder and (out / row.folder).is_dir()
        },
    )
    (out / "index.html").write_text(text, encoding="utf-8")
