"""RFC 8894 section 3.5: GetCACaps, and whether what it says is true."""

from __future__ import annotations

from conformance.case import case
from conformance.scep.client import KEYWORDS
from conformance.scep.lab import ScepLab
from conformance.scep.mutations import recipe


@case(
    "scep.caps.list",
    covers=["rfc8894:3.5#implemented", "rfc8894:2.9#mandatory", "rfc8894:3.5.2#list"],
    kills=["scep.caps.refused", "scep.caps.comma-separated"],
)
def listed(lab: ScepLab) -> None:
    """GetCACaps is answered with a list of keywords, one in each line."""
    reply = lab.client.get("GetCACaps")
    lab.require(reply.status == 200, f"expected 200, got {reply.status} {reply.media_type}")
    lines = reply.body.decode("ascii", "replace").splitlines()
    lab.require(lines, "GetCACaps gives an empty list, and RFC 8894 section 2.9 demands what has keywords")
    wrong = [line for line in lines if not line or line != line.strip() or set(line) & set(" ,;") or not line.isascii()]
    lab.check(not wrong, f"these lines are no keywords: {wrong[:4]}", "rfc8894:3.5.2#list")


@case("scep.caps.text-plain", covers=["rfc8894:3.5.2#text-plain"], kills=["scep.caps.other-media-type"])
def text_plain(lab: ScepLab) -> None:
    """The type of the list is text/plain."""
    reply = lab.client.get("GetCACaps")
    lab.check(reply.status == 200 and reply.media_type == "text/plain", f"got {reply.status} {reply.media_type or 'no type'}")


@case("scep.caps.text-case", covers=["rfc8894:3.5.2#text-case"], kills=["scep.caps.lower-case"])
def text_case(lab: ScepLab) -> None:
    """Keywords have the letters that the text gives them, upper and lower case alike."""
    found = lab.client.capabilities()
    known = {keyword.lower(): keyword for keyword in KEYWORDS}
    lab.require(any(one.lower() in known for one in found), f"none of the keywords is known: {sorted(found)[:10]}")
    wrong = sorted(one for one in found if known.get(one.lower(), one) != one)
    lab.check(not wrong, f"written otherwise than in section 3.5.2: {', '.join(wrong)}")


@case("scep.caps.registered", covers=["rfc8894:6#registry"], kills=["scep.caps.unregistered"])
def registered(lab: ScepLab) -> None:
    """Keywords are those of the registry, or begin with the name of who made them up."""
    found = lab.client.capabilities()
    lab.require(found, "GetCACaps gives no keywords")
    wrong = sorted(one for one in found if one.lower() not in {k.lower() for k in KEYWORDS} and "." not in one.partition("-")[0])
    lab.check(not wrong, f"neither registered nor with a prefix like example.com-: {', '.join(wrong)[:200]}")


@case(
    "scep.caps.standard",
    covers=["rfc8894:2.9#mandatory", "rfc8894:3.5.2#true", "rfc8894:3.5.2#aes128-sha256", "rfc8894:4.3.1#granted"],
    kills=["scep.algorithms.aes128-refused", "scep.transport.post-refused", "scep.algorithms.sha256-refused"],
)
def standard(lab: ScepLab) -> None:
    """PKCSReq by POST, with AES128-CBC and SHA-256, is granted: all that SCEPStandard stands for."""
    lab.succeeded(lab.client.send(lab.pkcs_req()))


def _kept(keyword: str, name: str, fault: str, **fields: str) -> None:
    title = f"Who lists {keyword} takes {name}"

    def body(lab: ScepLab) -> None:
        lab.needs_capability(keyword)
        lab.granted(lab.pkcs_req(), "control before")
        lab.succeeded(lab.client.send(lab.pkcs_req(), recipe(name, "RFC 8894 section 3.5.2", **fields)))

    body.__doc__ = f"{title}."
    id = f"scep.caps.{keyword.lower()}-kept"
    case(id, covers=["rfc8894:3.5.2#true", "rfc8894:2.9#historic"], kills=[fault], feature=keyword.lower())(body)


_kept("DES3", "triple DES", "scep.caps.des3-not-kept", cipher="3des")
_kept("SHA-1", "SHA-1", "scep.caps.sha-1-not-kept", digest="sha1")
_kept("SHA-512", "SHA-512", "scep.caps.sha-512-not-kept", digest="sha512")
