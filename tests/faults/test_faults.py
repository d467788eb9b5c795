"""Faults: each fits the source that it changes, lives in a copy alone, and is served by a lab that was told to."""

import importlib
import re
import subprocess
import sys

import pytest

import privca.acme.rfc8555.nonce as honest_nonce
import privca.acme.service as honest
from privca.faults import faults
from privca.faults.copies import COPIED, MADE, copy
from privca.faults.edits import Edit, EditError, instead, unchecked
from privca.faults.service import Faulty
from privca.profiles import FreshProfiles
from tests.support.issuance_lab import profile
from tests.support.issuance_lab import run as drive

COPIES = tuple(f"privca.{package}" for package in COPIED)


def profile_protocol(fault):
    """The protocol of the profile by which a fault is served: ``lab-acme-eab`` is one of ACME."""
    return fault.like.removeprefix("lab-").partition("-")[0]


@pytest.mark.parametrize("name", sorted(faults()))
def test_a_fault_fits_the_source_and_leaves_it_alone(name):
    fault = faults()[name]
    service = f"privca.services.{profile_protocol(fault)}"
    honest = importlib.import_module(service)
    before = {module: sys.modules[module] for module in sys.modules if module.startswith(COPIES) or module in MADE}
    code = honest_nonce.Nonces.spend.__code__
    made = copy(service, fault.edits)
    assert made.service is not honest.service
    assert {module: sys.modules.get(module) for module in before} == before
    assert honest_nonce.Nonces.spend.__code__ is code
    for module in MADE & before.keys():
        package, _, last = module.rpartition(".")
        assert getattr(sys.modules[package], last) is before[module]
    assert fault.clause.startswith("RFC ")
    assert fault.title
    protocol, _, rest = name.partition(".")
    assert fault.profile_id == f"{protocol}-fault-{rest.replace('.', '-')}"
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", fault.profile_id)


def test_records_are_the_same_to_both_copies():
    made = copy("privca.acme.service", ())
    assert made.AcmeStore is honest.AcmeStore
    assert made.Refused is honest.Refused


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(unchecked("acme.rfc8555.nonce:Nonces.spend", "words that no check says"), id="no such check"),
        pytest.param(instead("acme.rfc8555.nonce:Nonces.spend", "Refused", "x"), id="more than one place"),
        pytest.param(instead("acme.rfc8555.nonce:Nonces.nothing", "a", "b"), id="no such function"),
        pytest.param(instead("base.names:dns_name", "a", "b"), id="a module that is shared"),
    ],
)
def test_an_edit_that_does_not_fit_is_an_error(edit):
    assert isinstance(edit, Edit)
    before = sys.modules["privca.acme.service"]
    with pytest.raises(EditError):
        copy("privca.acme.service", (edit,))
    assert sys.modules["privca.acme.service"] is before


class Store:
    """Two profiles, one of which chose a fault."""

    async def profiles(self):
        from msgspec.structs import replace

        one = profile()
        erring = replace(one, id="erring", profile=replace(one.profile, faults=("acme.nonce.accept-reused",)))
        return [one, erring]


@pytest.mark.parametrize(("faults_are_served", "found"), [(False, False), (True, True)])
def test_a_profile_with_faults_is_there_in_a_lab_with_faults_alone(faults_are_served, found):
    profiles = FreshProfiles(Store(), faults=faults_are_served)
    work = profiles.profile("erring")
    with pytest.raises(StopIteration) as end:
        work.send(None)
    assert (end.value.value is not None) is found


def test_a_server_without_faults_does_not_import_them():
    names = "import privca.server, privca.cli.up, sys; print([m for m in sys.modules if m.startswith('privca.faults')])"
    done = subprocess.run([sys.executable, "-c", names], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


class Remembering:
    """A service that writes down of which profiles it takes up work."""

    def __init__(self):
        self.took = []

    async def resume(self, now, concerns=lambda profile: True):
        from msgspec.structs import replace

        one = profile()
        erring = replace(one, id="erring", profile=replace(one.profile, faults=("acme.nonce.accept-reused",)))
        self.took += [known.id for known in (one, erring) if concerns(known)]

    async def handle(self, exchange, request, profile):
        return None


def test_work_that_was_left_behind_is_taken_up_with_the_faults_of_its_profile():
    """Else the honest service finishes, now and then, what a faulty one has begun, and the fault is not there."""
    from msgspec.structs import replace

    honest, faulty = Remembering(), Remembering()
    service = Faulty(honest, "privca.services.acme", lambda copy: faulty)
    one = profile()
    erring = replace(one, id="erring", profile=replace(one.profile, faults=("acme.nonce.accept-reused",)))
    drive(service.handle(None, None, erring))
    drive(service.resume(None))
    assert (honest.took, faulty.took) == ([one.id], ["erring"])
