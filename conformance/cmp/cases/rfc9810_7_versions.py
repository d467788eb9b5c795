"""RFC 9810 section 7: versions of the protocol."""

from __future__ import annotations

from conformance.case import case
from conformance.cmp.lab import CmpLab, negative
from conformance.cmp.mutations import header

_SEVEN = "rfc9810:7#"


@case("cmp.version.same", covers=[_SEVEN + "version-same"], kills=["cmp.version.always-two"])
def same(lab: CmpLab) -> None:
    """A reply has the version of its request: cmp2000, and cmp2021 where that is supported."""
    granted = lab.unconfirmed()
    assert granted.reply is not None
    lab.check(granted.reply.pvno == 2, f"the ip to an ir with pvno 2 has pvno {granted.reply.pvno}")
    lab.settle(granted)
    newer = lab.send(lab.ir(pvno=3))
    if newer.reply is not None and newer.reply.statuses and "unsupportedVersion" in newer.reply.statuses[0].failures:
        return
    lab.require(not lab.denied(newer) and newer.reply is not None, f"an ir with pvno 3 gives {newer}")
    assert newer.reply is not None
    lab.check(newer.reply.pvno == 3, f"the ip to an ir with pvno 3 has pvno {newer.reply.pvno}")
    lab.settle(newer)


for _pvno, _name in ((0, "zero"), (99, "ninety-nine")):
    negative(
        f"cmp.version.{_name}",
        f"A message with pvno {_pvno} is refused by unsupportedVersion",
        covers=[_SEVEN + "version-unsupported"],
        control=lambda lab: lab.ir(),
        mutation=header(f"pvno {_pvno}", "RFC 9810 section 7", pvno=_pvno),
        failures={"unsupportedVersion"},
        bound=True,
        kills=["cmp.version.any", "cmp.version.unsupported-is-bad-request"],
    )
negative(
    "cmp.version.cmp1999",
    "A message with pvno 1 is refused by unsupportedVersion, unless the server speaks RFC 2510",
    covers=["rfc9810:7.1.2#cmp1999-refused"],
    control=lambda lab: lab.ir(),
    mutation=header("pvno 1", "RFC 9810 section 7.1.2", pvno=1),
    failures={"unsupportedVersion"},
    bound=True,
    kills=["cmp.version.any", "cmp.version.unsupported-is-bad-request"],
)


@case("cmp.version.nearest", covers=[_SEVEN + "version-nearest"], kills=["cmp.version.error-echoes"])
def nearest(lab: CmpLab) -> None:
    """The error to a version that is too high has the highest that the server has, to one that is too low the lowest."""
    lab.settle(lab.unconfirmed())
    for pvno, right in ((99, (2, 3)), (0, (1, 2))):
        answer = lab.send(lab.ir(pvno=pvno))
        lab.require(answer.reply is not None, f"an ir with pvno {pvno} gives {answer}")
        assert answer.reply is not None
        lab.check(answer.reply.refused and answer.reply.pvno in right, f"the error to pvno {pvno} has pvno {answer.reply.pvno}")
