"""Is anything forgotten? Every sentence of an RFC that uses a keyword of BCP 14 must be quoted by an entry of the catalogue.

The text is the reader's own copy: the plain text as the RFC Editor publishes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conformance.catalogue import Requirement

_KEYWORDS = re.compile(r"\b(MUST NOT|MUST|SHALL NOT|SHALL|SHOULD NOT|SHOULD|NOT RECOMMENDED|RECOMMENDED|REQUIRED|MAY|OPTIONAL)\b")
_HEADING = re.compile(r"(?:Appendix )?([0-9]+(?:\.[0-9]+)*|[A-Z](?:\.[0-9]+)+|(?<=Appendix )[A-Z])\.?\s{1,3}\S.*")
# A page ends in the midst of a sentence.
_PAGE_BREAK = re.compile(r"\n+\S[^\n]*\[Page [0-9]+\]\n+\f?\n*(?:\S[^\n]* {3,}\w+ [0-9]{4}\n+)?")
_BREAK = re.compile(r"(?<=[.:;?!])\s+(?=[\"“(A-Z0-9])")
_ABBREVIATION = re.compile(r"(?:\be\.g|\bi\.e|\bcf|\betc|\bSection|\bvs)\.$")
# ASN.1 has a keyword of its own that looks like one of BCP 14.
_ASN1_OPTIONAL = re.compile(r"\bOPTIONAL(?=\s*(?:,|\}|--|$))")
# The paragraph by which a document takes the keywords over is no demand.
_BOILERPLATE = re.compile(r"key ?words.*are to be interpreted|are to be interpreted as described", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence with a keyword, white space folded."""

    section: str
    keyword: str
    text: str


def folded(text: str) -> str:
    """White space and hyphenation at line ends made one."""
    return " ".join(text.split())


def sentences(text: str) -> Iterator[Sentence]:
    """Every sentence of an RFC's text that uses a keyword, with its section."""
    for section, paragraph in _paragraphs(text):
        # Before the first section there are an abstract and a table of contents.
        if not section or _BOILERPLATE.search(paragraph):
            continue
        for sentence in _split(paragraph):
            keyword = _KEYWORDS.search(_ASN1_OPTIONAL.sub("", sentence) if "::=" in sentence else sentence)
            if keyword:
                yield Sentence(section, keyword[1], sentence)


def forgotten(rfc: str, text: str, entries: Iterable[Requirement]) -> list[Sentence]:
    """The sentences that no entry of that RFC quotes."""
    quotes: dict[str, list[str]] = {}
    for entry in entries:
        if entry.rfc == rfc:
            quotes.setdefault(entry.section, []).append(_plain(entry.quote))
    return [one for one in sentences(text) if not any(quote in _plain(one.text) for quote in quotes.get(one.section, ()))]


def unfounded(rfc: str, text: str, entries: Iterable[Requirement]) -> list[Requirement]:
    """The entries whose quote does not stand in the section that they name."""
    said: dict[str, str] = {}
    for section, paragraph in _paragraphs(text):
        said[section] = f"{said.get(section, '')} {_plain(paragraph)}"
    return [one for one in entries if one.rfc == rfc and _plain(one.quote) not in said.get(one.section, "")]


def _plain(text: str) -> str:
    """A text as quotes are compared: without white space, which differs with the line breaks of a file."""
    return "".join(text.split())


def _paragraphs(text: str) -> Iterator[tuple[str, str]]:
    section, lines = "", list[str]()
    for line in [*_PAGE_BREAK.sub("\n", text).splitlines(), ""]:
        heading = None if line.startswith(" ") else _HEADING.fullmatch(line)
        if heading or not line.strip():
            if lines:
                yield section, folded(" ".join(lines))
                lines = []
            section = heading[1] if heading else section
        else:
            lines.append(line)


def _split(paragraph: str) -> Iterator[str]:
    held = ""
    for part in _BREAK.split(paragraph):
        held = f"{held} {part}" if held else part
        if not _ABBREVIATION.search(held):
            yield held
            held = ""
    if held:
        yield held
