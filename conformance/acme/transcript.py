"""A conversation written down for a person: each step with its clause, each message with what it says, each deviation where it happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from conformance.acme.deviations import Deviation, deviations
from conformance.acme.draft import Draft
from conformance.transport import HttpResponse

SHOWN_HEADERS = ("content-type", "location", "replay-nonce", "retry-after", "link")


class Transcript:
    """Writes as the client talks; observes every exchange of one :class:`~conformance.acme.client.Client`.

    :param verbose: whether messages are shown with their headers and decoded bodies.
    """

    def __init__(self, directory_url: str, write: Callable[[str], None], *, verbose: bool = False) -> None:
        self._directory_url = directory_url
        self._new_nonce_url = ""
        self._write = write
        self._verbose = verbose
        self._steps = 0
        self.deviations: list[Deviation] = []

    def say(self, step: str, clause: str) -> None:
        """A step of the procedure and the clause that it follows."""
        self._steps += 1
        self._write(f"\n{self._steps:2}. {step}  ({clause})")

    def observe(self, draft: Draft | None, response: HttpResponse) -> None:
        """One exchange."""
        request = response.request
        if request.url == self._directory_url and response.status == 200:
            self._new_nonce_url = str(response.object.get("newNonce", ""))
        self._write(f"    {request.method} {urlsplit(request.url).path} -> {response.status} {self._gist(response)}".rstrip())
        if self._verbose:
            self._show(draft, response)
        for deviation in deviations(response, directory_url=self._directory_url, new_nonce_url=self._new_nonce_url):
            self.deviations.append(deviation)
            self._write(f"    ! {deviation}")

    def verdict(self) -> int:
        """Write the verdict: 0 if no MUST was broken, else 1."""
        broken = [d for d in self.deviations if d.level == "MUST"]
        warned = len(self.deviations) - len(broken)
        self._write(f"verdict: {'fail' if broken else 'pass'} ({len(broken)} MUST broken, {warned} SHOULD not followed)")
        return 1 if broken else 0

    @staticmethod
    def _gist(response: HttpResponse) -> str:
        if response.error:
            return response.error
        if response.media_type == "application/json" and response.body:
            status = response.object.get("status")
            return f"status {status}" if status else ""
        return response.media_type

    def _show(self, draft: Draft | None, response: HttpResponse) -> None:
        if draft is not None:
            self._write(_indented("> protected", json.dumps(draft.protected)))
            payload = draft.payload_octets()
            self._write(
                _indented("> payload", payload.decode("utf-8", "backslashreplace") if payload else "(empty: POST-as-GET)")
            )
        for name, value in response.headers:
            if name.lower() in SHOWN_HEADERS:
                self._write(_indented(f"< {name}", value))
        if response.body:
            self._write(_indented("<", response.body.decode("utf-8", "backslashreplace")))


def _indented(label: str, text: str) -> str:
    return f"      {label}: " + text.rstrip().replace("\n", "\n        ")
