"""The catalogue: entries that hang together, an audit that finds what is forgotten, and a case for everything that a server must do."""

import pytest

from conformance.catalogue import CatalogueError, Status, catalogue, parse
from conformance.catalogue.audit import forgotten, sentences, unfounded
from conformance.protocols import load
from conformance.verdict import Level

TEXT = """\
1.  Introduction

   The key words "MUST" and "MAY" in this document are to be interpreted as
   described in BCP 14.

2.  Rules

   A server MUST answer.  It SHOULD be quick, e.g. within a second, and
   it MAY be

Somebody                     Standards Track                    [Page 1]
\x0c
RFC 9999                        Rules                       January 2026

   slow.  Nothing else is said.

2.1.  More

   o  A client MUST NOT shout.
"""


def entry(**fields):
    return parse("9999", "\n".join(['["2#answers"]', *(f'{key} = "{value}"' for key, value in fields.items())]))[
        "rfc9999:2#answers"
    ]


def test_sentences_are_found_with_their_sections_across_pages():
    found = [(one.section, one.keyword, one.text) for one in sentences(TEXT)]
    assert found == [
        ("2", "MUST", "A server MUST answer."),
        ("2", "SHOULD", "It SHOULD be quick, e.g. within a second, and it MAY be slow."),
        ("2.1", "MUST NOT", "o A client MUST NOT shout."),
    ]


def test_a_table_of_contents_and_optional_parts_of_asn1_demand_nothing():
    text = """\
   2.1.  Profiles (REQUIRED)

2.  Syntax

   Message ::= SEQUENCE {
     header  Header,
     more    INTEGER OPTIONAL, -- MUST be 1
     rest    NULL    OPTIONAL }

   Other ::= SEQUENCE { rest NULL OPTIONAL }

   It is OPTIONAL, where Message ::= SEQUENCE is.
"""
    assert [(one.section, one.keyword) for one in sentences(text)] == [("2", "MUST")]
    assert [one.keyword for one in sentences("1.  A\n\n   This is OPTIONAL, as ever.\n")] == ["OPTIONAL"]


def test_what_no_entry_quotes_is_forgotten():
    one = entry(level="MUST", quote="A server MUST answer")
    assert [sentence.section for sentence in forgotten("9999", TEXT, [one])] == ["2", "2.1"]
    assert unfounded("9999", TEXT, [one]) == []


def test_a_quote_that_is_not_there_is_found():
    one = entry(level="MUST", quote="A server MUST sing")
    assert unfounded("9999", TEXT, [one]) == [one]
    assert len(forgotten("9999", TEXT, [one])) == 3


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('["2"]\nlevel = "MUST"\nquote = "x"', id="no words"),
        pytest.param('["2#Words"]\nlevel = "MUST"\nquote = "x"', id="capitals"),
        pytest.param('["2#a"]\nlevel = "WILL"\nquote = "x"', id="no keyword"),
        pytest.param('["2#a"]\nlevel = "MUST"', id="no quote"),
        pytest.param('["2#a"]\nlevel = "MUST"\nquote = "x"\nnote = "y"', id="unknown key"),
        pytest.param('["2#a"]\nlevel = "MUST"\nquote = "x"\nrole = "anybody"', id="role"),
        pytest.param('["2#a"]\nlevel = "MUST"\nquote = "x"\nstatus = "hard"', id="status"),
        pytest.param('["2#a"]\nlevel = "MUST"\nquote = "x"\nstatus = "untestable"', id="untestable without a reason"),
        pytest.param(f'["2#a"]\nlevel = "MUST"\nquote = "{"x " * 26}"', id="a long quote"),
    ],
)
def test_an_entry_that_is_wrong_is_refused(text):
    with pytest.raises(CatalogueError):
        parse("9999", text)


def test_every_testable_demand_on_a_server_has_a_case():
    covered = {id for case in load().values() for id in case.covers}
    missing = [one.id for one in catalogue().values() if one.to_be_covered and one.id not in covered]
    assert missing == []


def test_what_cannot_be_tested_says_why():
    for one in catalogue().values():
        assert one.status is Status.TESTABLE or one.role == "client" or one.why, one.id


def test_levels():
    assert entry(level="SHALL NOT", quote="x").level is Level.MUST
    assert entry(level="RECOMMENDED", quote="x").level is Level.SHOULD
    assert entry(level="OPTIONAL", quote="x").level is Level.MAY
