"""Parameters of CAA properties that bind them to an account or a validation method (RFC 8657)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_METHODS = re.compile(r"(?:[A-Za-z0-9-]+(?:,[A-Za-z0-9-]+)*)?")


def satisfied(parameters: Sequence[tuple[str, str]], account_uri: str, method: str) -> bool:
    """Whether the parameters of a property let this account and this validation method pass.

    Names of parameters are compared without regard to case: to overlook a restriction because of its spelling would lift it.
    Parameters that are neither of the two are not ours to judge (RFC 8659 section 4.2), and restrict nothing.
    """
    accounts = [value for name, value in parameters if name.lower() == "accounturi"]
    methods = [value for name, value in parameters if name.lower() == "validationmethods"]
    # Section 3: several accounturi parameters cannot be satisfied, not even by naming the same account twice.
    return (not accounts or accounts == [account_uri]) and all(
        _METHODS.fullmatch(value) is not None and method in value.split(",") for value in methods
    )
