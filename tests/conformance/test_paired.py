"""The paired control of the frame: what a spoilt request does to the server is a finding, also that it is not answered at all."""

import pytest

from conformance.case import Case
from conformance.examination import Examination, examine
from conformance.transport import HttpRequest, HttpResponse, Unreachable
from conformance.verdict import Verdict

REPLY = HttpResponse(200, (), b"", HttpRequest("GET", "https://ca.example.test/"))


def examined(*answers):
    """How a case ends whose requests are answered so in turn; None: not at all."""
    left = list(answers)

    def send():
        answer = left.pop(0)
        if answer is None:
            raise Unreachable("the connection was closed")
        return answer

    def body(examination):
        examination.paired(
            send, send, denied=lambda reply: "no" if reply is not REPLY else "", judge=lambda reply: examination.check(True, "")
        )

    examination = Examination(Case("acme.test.case", "", ("rfc8555:6.5#nonce-reject",), body))
    return examine(examination, examination, frozenset())


DENIED = HttpResponse(403, (), b"", REPLY.request)


@pytest.mark.parametrize(
    ("answers", "verdict", "said"),
    [
        pytest.param((REPLY, DENIED, REPLY), Verdict.PASS, "", id="as it should be"),
        pytest.param((DENIED,), Verdict.INCONCLUSIVE, "the control was refused", id="refused before"),
        pytest.param((None,), Verdict.INCONCLUSIVE, "closed", id="not answered before"),
        pytest.param((REPLY, DENIED, DENIED), Verdict.FAIL, "after the spoilt request", id="refused after"),
        pytest.param((REPLY, None, REPLY), Verdict.FAIL, "was not answered:", id="the spoilt one is not answered"),
        pytest.param((REPLY, None, None), Verdict.FAIL, "and nothing is any more", id="the spoilt one ends the server"),
    ],
)
def test_how_a_paired_control_ends(answers, verdict, said):
    done = examined(*answers)
    assert done.verdict is verdict
    assert said in done.detail
