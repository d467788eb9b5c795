"""RFC 9325 section 4: cipher suites, groups and key lengths."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.case import case
from conformance.examination import Inconclusive, NotApplicable
from conformance.tls import suites
from conformance.tls.hello import FORWARD_SECRET, P_256, X25519, Answer, client_hello, groups
from conformance.tls.lab import TlsLab

_SMALL_GROUPS = (1, 2, 3, 4, 5, 15, 16, 17, 18, 19)
"""sect163k1 to sect193r2, secp160k1 to secp192r1 (RFC 4492 section 5.1.1): below 224 bits."""


def _without(name: str, title: str, numbers: Sequence[int], requirement: str) -> None:
    def body(lab: TlsLab) -> None:
        lab.refused(client_hello(suites=numbers, extensions=lab.usual), f"{len(numbers)} suites {title}")

    body.__doc__ = f"Cipher suites {title} are refused"
    case(f"tls.suite.{name}", covers=[requirement])(body)


_without("no-null", "without encryption", suites.NULL, "rfc9325:4.1#null")
_without("no-rc4", "with RC4", suites.RC4, "rfc9325:4.1#rc4")
_without("no-export", "of less than 112 bits", suites.BELOW_112, "rfc9325:4.1#112-bits")
_without("no-triple-des", "of less than 128 bits", suites.TRIPLE_DES, "rfc9325:4.1#128-bits")
_without("no-rsa-key-transport", "with RSA key transport", suites.RSA_KEY_TRANSPORT, "rfc9325:4.1#rsa-key-transport")
_without("no-mandatory-of-tls-1-2", "that TLS 1.2 once made mandatory", (0x002F,), "rfc9325:4.2.1#mandatory-of-1-2")
_without("no-static-dh", "with static Diffie-Hellman", suites.STATIC_DH, "rfc9325:4.1#static-dh")
_without("no-static-ecdh", "with static elliptic curve Diffie-Hellman", suites.STATIC_ECDH, "rfc9325:4.1#static-ecdh")
_without("no-dhe", "with finite fields", suites.DHE, "rfc9325:4.1#dhe")
_without("no-cbc", "in CBC mode without encrypt-then-MAC", suites.ECDHE_CBC, "rfc9325:4.2#cbc")


def _chosen(lab: TlsLab, *numbers: int) -> tuple[int, Answer]:
    answer = lab.ask(client_hello(suites=numbers, extensions=lab.usual))
    if answer.hello is None:
        raise Inconclusive(f"a client with {len(numbers)} suites gets {answer}")
    return answer.hello.suite, answer


@case("tls.suite.forward-secrecy", covers=["rfc9325:4.1#forward-secrecy"])
def forward_secrecy(lab: TlsLab) -> None:
    """A suite with forward secrecy is chosen, though a client names all others first"""
    _ = lab.ordinary
    suite, answer = _chosen(lab, *suites.RSA_KEY_TRANSPORT, *FORWARD_SECRET)
    lab.check(suite in FORWARD_SECRET, f"it chooses {answer}")


@case("tls.suite.recommended", covers=["rfc9325:4.2#recommended"])
def recommended(lab: TlsLab) -> None:
    """Some suite that is recommended is there"""
    _ = lab.ordinary
    answer = lab.ask(client_hello(suites=suites.RECOMMENDED, extensions=lab.usual))
    lab.check(answer.hello is not None, f"a client with the four recommended suites gets {answer}")


@case("tls.suite.preferred", covers=["rfc9325:4.2.1#preferred"])
def preferred(lab: TlsLab) -> None:
    """ECDHE with AES-128-GCM is preferred to what is weaker, wherever a client names it"""
    _ = lab.ordinary
    if lab.ask(client_hello(suites=suites.ECDHE_AES_128_GCM, extensions=lab.usual)).hello is None:
        raise NotApplicable("it has no ECDHE with AES-128-GCM")
    weaker = (*suites.RSA_KEY_TRANSPORT, *suites.TRIPLE_DES, *suites.ECDHE_CBC)
    suite, answer = _chosen(lab, *weaker, *suites.ECDHE_AES_128_GCM)
    lab.check(suite in suites.ECDHE_AES_128_GCM, f"it chooses {answer}")


@case("tls.suite.stronger", covers=["rfc9325:4.2.1#stronger"])
def stronger(lab: TlsLab) -> None:
    """AES-256-GCM is preferred to AES-128-GCM where a client offers both"""
    _ = lab.ordinary
    if lab.ask(client_hello(suites=suites.ECDHE_AES_256_GCM, extensions=lab.usual)).hello is None:
        raise NotApplicable("it has no ECDHE with AES-256-GCM")
    suite, answer = _chosen(lab, *suites.ECDHE_AES_128_GCM, *suites.ECDHE_AES_256_GCM)
    lab.check(suite in suites.ECDHE_AES_256_GCM, f"it chooses {answer}")


@case("tls.group.curves", covers=["rfc9325:4.2.1#curves"])
def curves(lab: TlsLab) -> None:
    """P-256 and X25519 are there, each by itself"""
    _ = lab.ordinary
    # A certificate with a key on P-256 wants that curve to be offered as well (RFC 8422 section 5.1): the key exchange says which was used.
    for name, one, other in (("P-256", P_256, X25519), ("X25519", X25519, P_256)):
        answer = lab.ask(client_hello(extensions={**lab.usual, **groups(one)}))
        if answer.hello is None:
            answer = lab.ask(client_hello(extensions={**lab.usual, **groups(one, other)}))
        used = int.from_bytes(answer.key_exchange[1:3], "big") if answer.key_exchange[:1] == b"\x03" else None
        lab.check(used == one, f"{name}: {answer}, with the group {used}")


@case("tls.group.none-small", covers=["rfc9325:4.5#curve-224"])
def none_small(lab: TlsLab) -> None:
    """Curves of less than 224 bits are refused"""
    lab.refused(client_hello(extensions={**lab.usual, **groups(*_SMALL_GROUPS)}), f"{len(_SMALL_GROUPS)} small curves")


def _public_value(lab: TlsLab) -> tuple[int, bytes]:
    """The bits of the prime, and the public value, of a key exchange with finite fields. :raises NotApplicable: if there is none."""
    _ = lab.ordinary
    answer = lab.ask(client_hello(suites=suites.DHE, extensions=lab.usual))
    if answer.hello is None:
        raise NotApplicable("it has no suite with finite fields")
    found, rest = [], answer.key_exchange
    for _number in range(3):
        size = int.from_bytes(rest[:2], "big")
        found.append(rest[2 : 2 + size])
        rest = rest[2 + size :]
    if not all(found):
        raise Inconclusive("its key exchange cannot be read")
    return int.from_bytes(found[0], "big").bit_length(), found[2]


@case("tls.dh.size", covers=["rfc9325:4.5#dh-2048"])
def dh_size(lab: TlsLab) -> None:
    """Finite fields have at least 2048 bits"""
    size, _ = _public_value(lab)
    lab.check(size >= 2048, f"the prime has {size} bits")


@case("tls.dh.fresh", covers=["rfc9325:7.4#dh-reuse"])
def dh_fresh(lab: TlsLab) -> None:
    """A key of a finite field serves one connection"""
    (_, first), (_, second) = _public_value(lab), _public_value(lab)
    lab.check(first != second, "two connections have one key")
