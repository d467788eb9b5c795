"""What a run writes: results that can be read again, and a page that needs nothing else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console

from interop import cli, page, results
from interop.results import Check, EngineReport, Results, Row, Step

ROWS = (
    Row(
        client="certbot",
        version="5.8.0",
        protocol="acme",
        scenario="http-01",
        mode="rootfs",
        verdict="pass",
        expected="pass",
        checks=(Check("names as asked", True, "<b>a.test</b>"),),
        steps=(Step("certbot certonly", 0, 1.25),),
        seconds=1.3,
        folder="cells/certbot/http-01",
    ),
    Row(
        client="lego", version="", protocol="acme", scenario="http-01", mode="", verdict="skip", expected="pass", detail="no root"
    ),
)
WHOLE = Results(
    started="2026-01-02T03:04:05Z",
    finished="2026-01-02T03:05:05Z",
    target="privca",
    target_version="1.0",
    engines=(EngineReport("rootfs", ""), EngineReport("host", "there is no unshare command")),
    rows=ROWS,
)


def test_results_can_be_read_again(tmp_path):
    results.save(WHOLE, tmp_path)
    assert results.read(tmp_path) == WHOLE
    row = json.loads((tmp_path / "results.json").read_text())["rows"][0]
    assert {"client", "version", "protocol", "scenario", "mode", "verdict", "expected"} <= set(row)


def test_a_verdict_that_nobody_knows_is_no_result(tmp_path):
    results.save(WHOLE, tmp_path)
    path = tmp_path / "results.json"
    path.write_text(path.read_text().replace('"pass"', '"passed"'))
    with pytest.raises(msgspec.ValidationError):
        results.read(tmp_path)


def changed(**rows: str) -> Results:
    """Results of certbot in scenarios, by verdict."""
    found = tuple(
        msgspec.structs.replace(ROWS[0], scenario=id.replace("_", "-"), verdict=verdict) for id, verdict in rows.items()
    )
    return msgspec.structs.replace(WHOLE, rows=found)


def test_what_has_changed_since_the_last_results():
    old = changed(http_01="pass", dns_01="fail", renew="pass", revoke="skip")
    new = changed(http_01="fail", dns_01="fail", renew="skip", revoke="pass", register="pass")
    found = results.compared(new, old)
    assert found.since == old.started
    assert [(one.scenario, one.before, one.after) for one in found.changes] == [("http-01", "pass", "fail")]
    assert results.compared(new, None) == new


def test_what_a_client_did_and_its_version_are_part_of_what_has_changed():
    old = msgspec.structs.replace(WHOLE, rows=(msgspec.structs.replace(ROWS[0], did="hurried", version="5.7"),))
    new = msgspec.structs.replace(WHOLE, rows=(msgspec.structs.replace(ROWS[0], did="waited"),))
    assert [(one.before, one.after) for one in results.compared(new, old).changes] == [
        ("pass (hurried) of 5.7", "pass (waited) of 5.8.0")
    ]


def test_results_that_cannot_be_read_are_none(tmp_path):
    assert results.last(tmp_path) is None
    (tmp_path / "results.json").write_text("{}")
    assert results.last(tmp_path) is None
    results.save(WHOLE, tmp_path)
    assert results.last(tmp_path) == WHOLE


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.tags = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        self.ids.add(attributes.get("id"))
        self.links += [value for name, value in attrs if name in ("href", "src")]


def test_the_page_needs_nothing_else(tmp_path):
    cell = tmp_path / "cells/certbot/http-01"
    cell.mkdir(parents=True)
    for name in ("issue.certificate.pem", "log.txt", "transcript.txt", "transcript.jsonl"):
        (cell / name).write_text("x")
    known = msgspec.structs.replace(
        ROWS[1], verdict="fail", expected="fail", why="known", link="https://example.test/1", did="gave up"
    )
    whole = msgspec.structs.replace(
        WHOLE, rows=(msgspec.structs.replace(ROWS[0], again="privca-interop run --x"), known, ROWS[1])
    )
    old = msgspec.structs.replace(WHOLE, rows=(msgspec.structs.replace(ROWS[0], verdict="fail"),))
    page.write(results.compared(whole, old), tmp_path)
    text = (tmp_path / "index.html").read_text()
    shown = Page(text)
    assert not {"script", "link", "img", "iframe"} & set(shown.tags)
    assert not re.search(r"url\(|@import", text)
    assert "&lt;b&gt;a.test&lt;/b&gt;" in text
    assert shown.links.count("https://example.test/1") == 1  # a link may lead elsewhere, nothing is fetched
    assert (
        text.index("log.txt")
        < text.index("transcript.txt")
        < text.index("transcript.jsonl")
        < text.index("issue.certificate.pem")
    )
    for said in ("was fail", "gave up", "privca-interop run --x"):
        assert said in text
    for link in set(shown.links) - {"https://example.test/1"}:
        assert link[1:] in shown.ids if link.startswith("#") else (tmp_path / link).is_file(), link
    assert "no root" in text


@pytest.mark.parametrize(
    ("found", "expected", "skip_ok", "status"),
    [
        ("pass", "pass", False, 0),
        ("fail", "pass", True, 1),
        ("fail", "fail", False, 0),
        ("pass", "fail", False, 1),  # an unexpected pass is a thing to look at
        ("unsupported", "pass", False, 1),
        ("inconclusive", "pass", True, 1),
        ("error", "fail", True, 1),
        ("skip", "pass", False, 77),
        ("skip", "pass", True, 0),
    ],
)
def test_exit_status(tmp_path, found, expected, skip_ok, status):
    whole = msgspec.structs.replace(WHOLE, rows=(msgspec.structs.replace(ROWS[0], verdict=found, expected=expected),))
    with (tmp_path / "out").open("w") as out:
        assert cli.report(Console(file=out), whole, tmp_path, skip_ok=skip_ok) == status


@pytest.mark.parametrize(
    "arguments",
    [
        ["--clients", "certbot,netscape"],
        ["--scenarios", "http-02"],
        ["--engine", "warp"],
        ["--target", "x"],
        ["--image", "netscape"],
    ],
)
def test_usage(arguments):
    done = CliRunner().invoke(cli.main, ["run", *arguments])
    assert done.exit_code == 2
    assert arguments[1].split(",")[-1] in done.output
