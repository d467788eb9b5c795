"""What is known of peers: each file can be read, and each entry is about a case."""

import fnmatch
from importlib import resources

import pytest

from conformance import expected
from conformance.protocols import load

FILES = sorted(
    (file for file in resources.files("conformance").joinpath("deviations").iterdir() if file.name.endswith(".toml")),
    key=lambda file: file.name,
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_entry_is_about_a_case_and_says_why(file):
    known = expected.read(file)
    assert known
    assert [glob for glob in known if not fnmatch.filter(load(), glob)] == []
    assert [glob for glob, entry in known.items() if not entry.reason] == []
