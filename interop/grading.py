"""What a client did when it was told to come back, or to try again: seen in the server's transcript, by whole seconds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from interop.results import Check
from interop.scenarios.scenario import Scenario
from interop.servers.server import Exchange


@dataclass(frozen=True, slots=True)
class Grade:
    """``did`` is ``retried`` (at once, as it may), ``waited`` (at least as long as it was told), ``hurried`` (less), ``gave up`` (did not
    come back), or empty: it was never told to.
    """

    did: str
    check: Check


def grade(scenario: Scenario, exchanges: Sequence[Exchange]) -> Grade:
    """How the client took what the scenario provoked.

    Times are cut to whole seconds: a difference that is less than what was told is certain, one that is not may be a second short.
    """
    name = f"what the client did after {scenario.provoked}"
    told = [number for number, one in enumerate(exchanges) if re.search(scenario.provoked, str(one))]
    if not told:
        return Grade("", Check(name, False, "the server never answered so"))
    pauses, waits = [], []
    for number in told:
        wanted = exchanges[number].retry_after
        back = scenario.back or re.escape(exchanges[number].request)
        next_time = next((one.time for one in exchanges[number + 1 :] if re.match(back, one.request)), None)
        pauses.append(scenario.pause if wanted is None else wanted)
        waits.append(None if next_time is None else next_time - exchanges[number].time)
    came = [(pause, wait) for pause, wait in zip(pauses, waits, strict=True) if wait is not None]
    if not came:
        did = "gave up"
    elif any(wait < pause for pause, wait in came):
        did = "hurried"
    else:
        did = "waited" if max(pauses) else "retried"
    detail = ", ".join(
        f"{'not again' if wait is None else f'again after {wait} s'}, told {pause}"
        for pause, wait in zip(pauses, waits, strict=True)
    )
    return Grade(did, Check(name, did != "hurried" or not scenario.must_wait, f"{did}: {detail}"[:300]))
