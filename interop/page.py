"""The matrix as one page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from pathlib import Path

import jinja2

from interop.probes import PROBES
from interop.results import Results, Row
from interop.scenarios import SCENARIOS

TEMPLATES = Path(__file__).parent
SAID = {
    "log.txt": "what the client said",
    "transcript.txt": "what the server wrote down",
    "transcript.jsonl": "the same, every octet",
    "driver.txt": "what the driver said",
}
"""Files of a cell that are no artefacts, in the order in which they are shown."""


def order(name: str) -> int:
    """The place of a file: what is said before what is left."""
    return list(SAID).index(name) if name in SAID else len(SAID)


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
        changed={(change.client, change.scenario): change.before for change in results.changes},
        files={
            row: sorted((path.name for path in (out / row.folder).iterdir()), key=lambda name: (order(name), name))
            for row in results.rows
            if row.folder and (out / row.folder).is_dir()
        },
        said=SAID,
    )
    (out / "index.html").write_text(text, encoding="utf-8")
