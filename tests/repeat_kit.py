"""Repeat the conformance kit, with other keys, tokens and serial numbers each time, to find what goes wrong once in many runs.

Usage: ``python tests/repeat_kit.py [TIMES] [GLOB]``: every case (or those that match) that many times in process, without sockets: against
the honest server, against each fault that it says it notices, and against every stub. What ends otherwise than it should is printed with
how often it did. Exit status 1 if anything did.

Where the kit meets a network (challenges, timing) is repeated by ``python tests/prove_kit.py DIR`` in a loop.
"""

from __future__ import annotations

import fnmatch
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from conformance import gauntlet
from conformance.acme.session import AcmeSession
from conformance.case import Case
from conformance.kill_matrix import NOTICED
from conformance.protocols import PROTOCOLS, load
from conformance.target import AcmeTarget, Target
from conformance.verdict import Verdict
from privca.acme.service import AcmeService
from privca.faults import faults
from privca.faults.service import Faulty
from tests.traps.conftest import ORIGIN, Lab

RIGHT = frozenset({Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.UNSUPPORTED})
_BOUND = "lab-acme-eab"
_LIMIT = {"orders_limit": "3/1h", "website": "https://ca.example.test/limits"}
_KEYS = 24
"""External account keys for one session: one binds one account."""


def faulty(lab: Lab) -> Faulty:
    """The lab's service, with the faults of whichever profile chooses some."""
    parts = (lab.store, lab.door, lab.responder, lab.background, lab.clock, lab.entropy, b"k" * 32, ORIGIN)
    return Faulty(AcmeService(*parts), "privca.acme.service", lambda copy: copy.AcmeService(*parts))


def target(lab: Lab, *, bound: bool = False, **fields: object) -> Target:
    """A profile that counts every challenge as met, or (``bound``) one whose accounts come with an external account binding."""
    methods = ("eab",) if bound else ("open",)
    profile = lab.profile(authentication=methods, acme={"terms_of_service": "https://ca.example.test/terms"}, **fields)
    keys = tuple(lab.external_key(profile) for _ in range(_KEYS)) if bound else ()
    directory = lab.client(profile=profile).directory_url
    limited = lab.client(profile=lab.profile(authentication=("open",), acme=_LIMIT, **fields)).directory_url
    return Target(name="in process", acme=AcmeTarget(directory=directory, validates=False, bindings=keys, rate_limited=limited))


def honest(lab: Lab, cases: list[Case]) -> Iterator[str]:
    """Every case against the server as it is."""
    for bound in (False, True):
        with AcmeSession(target(lab, bound=bound), transport=lab) as session:
            for case in cases:
                if bound and not case.id.startswith("acme.binding."):
                    continue
                result = session.examine(case)
                if result.verdict not in RIGHT:
                    yield f"honest  {case.id}: {result.verdict.value} {result.detail}"


def noticed(lab: Lab, cases: list[Case]) -> Iterator[str]:
    """Every fault against the cases that say that they notice it."""
    for fault in faults().values():
        if fault.protocol != "acme":
            continue
        chosen = [case for case in cases if fault.name in case.kills]
        with AcmeSession(target(lab, bound=fault.like == _BOUND, faults=(fault.name,)), transport=lab) as session:
            for case in chosen:
                verdict = session.examine(case).verdict
                if verdict not in NOTICED | {Verdict.NOT_APPLICABLE}:
                    yield f"fault   {fault.name} by {case.id}: {verdict.value}"


def vacuous(cases: list[Case]) -> Iterator[str]:
    """Every case against the servers that do nothing right."""
    for stub, result in gauntlet.run(PROTOCOLS["acme"], cases):
        if gauntlet.vacuous(stub, result):
            yield f"stub    {stub.name} {result.case.id}: {result.verdict.value} {result.detail}"


def main(times: int = 20, glob: str = "*") -> int:
    """Repeat, and say what went wrong how often."""
    cases = [one for one in load().values() if one.protocol == "acme" and fnmatch.fnmatchcase(one.id, glob)]
    found = Counter[str]()
    with tempfile.TemporaryDirectory() as place:
        lab = Lab(Path(place))
        lab.service = faulty(lab)
        for time in range(times):
            for said in (*honest(lab, cases), *noticed(lab, cases), *vacuous(cases)):
                found[said] += 1
                print(f"{time + 1:4}  {said}", flush=True)
        lab.close()
    print(f"{len(cases)} cases {times} times: {len(found)} that are not as they should be")
    for said, count in found.most_common():
        print(f"{count:4}  {said}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*(int(sys.argv[1]),) if len(sys.argv) > 1 else (), *sys.argv[2:3]))
