"""Scenarios: what a client is told to do, and what must be true afterwards. One module for each protocol."""

from __future__ import annotations

from interop.scenarios import acme, cmp, est, scep
from interop.scenarios.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {scenario.id: scenario for module in (acme, est, scep, cmp) for scenario in module.SCENARIOS}
