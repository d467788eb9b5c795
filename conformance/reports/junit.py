"""JUnit XML, for continuous integration: unsupported and not applicable are skipped, what cannot be concluded is an error."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

_ELEMENT = {
    "fail": "failure",
    "inconsistent": "failure",
    "error": "error",
    "inconclusive": "error",
    "unsupported": "skipped",
    "not-applicable": "skipped",
}


def junit(results: dict[str, Any]) -> bytes:
    """The document."""
    suite = ET.Element("testsuite", name=f"conformance of {results['target']['name'] or 'a server'}")
    counts = dict.fromkeys(("failure", "error", "skipped"), 0)
    for case in results["cases"]:
        protocol, _, name = case["id"].partition(".")
        item = ET.SubElement(suite, "testcase", classname=protocol, name=name, time=str(case["seconds"]))
        kind = _ELEMENT.get(case["verdict"])
        if case["expected"] and not case["unexpected"]:
            kind = "skipped" if kind else None
        elif case["unexpected"] and not kind:
            kind = "failure"
        if kind:
            counts[kind] += 1
            message = case["reason"] if kind == "skipped" and case["reason"] else case["unexpected"] or case["detail"]
            ET.SubElement(item, kind, type=case["verdict"], message=_clean(message)).text = _clean(case["detail"])
        elif case["findings"]:
            ET.SubElement(item, "system-out").text = _clean(f"{case['verdict']}: {case['detail']}")
    suite.set("tests", str(len(results["cases"])))
    suite.set("failures", str(counts["failure"]))
    suite.set("errors", str(counts["error"]))
    suite.set("skipped", str(counts["skipped"]))
    made: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return made


def _clean(text: str) -> str:
    """Without the characters that XML has no way to write."""
    return "".join(c if c in "\t\n" or c >= " " else "\N{REPLACEMENT CHARACTER}" for c in text)
