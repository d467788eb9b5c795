"""Faults of OCSP and CRLs: at URLs of their own, and what they make is found nowhere else."""

import pytest

from privca.base.http import Peer, Request
from privca.faults.copies import copy
from privca.faults.status.lab import entries
from privca.faults.status.serving import FaultyStatus, OwnLists
from privca.issuance.ports import Conflict, CrlRecord
from tests.support.issuance_lab import NOW, direct, run
from tests.support.status_examination import Examined

FAULT = "faults/status-fault-crl-number-stands-still"


@pytest.fixture
def examined(tmp_path):
    made = Examined(tmp_path)
    yield made
    made.lab.store.close()


@pytest.fixture
def served(examined):
    lab, copies = examined.lab, []

    def build(made):
        copies.append(made)
        lists = made.RevocationLists(OwnLists(lab.store), lab.keys, lab.authorities, direct)
        return made.StatusService(lab.authorities, lists, made.OcspResponder(lab.store, lab.keys, lab.authorities, lab.delegates))

    service = FaultyStatus(lab.status, build)

    def ask(path):
        request = Request("GET", f"/{path}", path, "", {}, b"", Peer("192.0.2.1"), "http://pki.example.test")
        return run(service.handle(lab.exchange(), request))

    ask.copies = copies
    return ask


def test_what_a_copy_publishes_is_in_no_store(examined, served):
    assert served(f"{FAULT}/crl/issuing.crl").status == 200
    assert run(examined.lab.store.newest_crl_mark("issuing")) is None
    honest = served("crl/issuing.crl")
    assert honest.status == 200
    assert run(examined.lab.store.newest_crl("issuing", 1)).der == honest.body
    assert served(f"{FAULT}/crl/issuing.crl").body != honest.body


def test_a_copy_is_made_once_and_only_for_a_fault_of_the_status_services(served):
    for _ in range(2):
        served(f"{FAULT}/crl/issuing.crl")
    assert len(served.copies) == 1
    for path in (
        "faults/status-fault-crl-nothing/crl/issuing.crl",
        "faults/acme-fault-nonce-accept-reused/crl/issuing.crl",
        f"{FAULT}/{FAULT}/crl/issuing.crl",
        f"{FAULT}/ocsp/nobody",
    ):
        assert served(path).status == 404
    assert len(served.copies) == 1


def test_a_number_is_given_once_by_a_copy_too(examined):
    lists = OwnLists(examined.lab.store)
    record = CrlRecord("issuing", 1, 1, NOW, NOW, b"", "", 0)
    run(lists.add_crl(record, bases_from=NOW))
    with pytest.raises(Conflict):
        run(lists.add_crl(record))
    assert [base.number for base in run(lists.crl_bases("issuing", 1))] == [1]
    assert run(lists.newest_crl("issuing", 1, "delta")) is None
    assert run(lists.revocation_count("issuing")) == run(examined.lab.store.revocation_count("issuing"))


def test_copies_of_other_protocols_share_what_makes_lists_and_answers():
    import privca.issuance.revocation_lists as lists
    import privca.pkix.rfc6960 as messages

    mine = copy("privca.services.status", ())
    assert mine.RevocationLists is not lists.RevocationLists
    assert mine.StatusService.__init__.__globals__["read_crl_label"].__module__ == "privca.issuance.publication"
    copy("privca.services.cmp", ())
    from privca.pkix import rfc6960

    assert rfc6960 is messages


def test_each_entry_leads_to_its_own_place():
    found = entries("http://127.0.0.1:8080")
    assert len({entry["ocsp"] for entry in found}) == len(found) > 100
    for entry in found:
        place = f"http://127.0.0.1:8080/faults/{entry['id']}/"
        assert entry["reached"] == {"http://127.0.0.1:8080/": place}
        assert entry["crl"].startswith(place)
