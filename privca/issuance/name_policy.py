"""The name policy of a profile (``profile.Names``): which names and subject attributes it certifies.

Patterns are compiled once per profile revision. They read like RFC 5280 section 4.2.1.10 name constraints where that has a
meaning for one name, and an exclusion always wins. A wildcard stands for every name that it could match, so it is excluded when
any name below it is, at any depth: how many labels ``*`` covers is the relying party's reading (RFC 6125 section 6.4.3).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from privca.base.names import Name, NameKind, dns_name, email_name
from privca.base.refused import Reason, Refused
from privca.issuance.profile import Names

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class _Patterns(Protocol):
    """The permitted or the excluded patterns of one kind of name."""

    def __bool__(self) -> bool: ...
    def permit(self, value: str) -> bool:
        """Whether everything that ``value`` can stand for matches."""

    def exclude(self, value: str) -> bool:
        """Whether anything that ``value`` can stand for matches."""


class _Hosts:
    """DNS patterns: ``example.test`` and all below, ``=example.test`` alone, ``*`` everything."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.everything = False
        self.exact: set[str] = set()
        self.trees: set[str] = set()
        for pattern in patterns:
            if pattern == "*":
                self.everything = True
            elif pattern.startswith("="):
                self.exact.add(dns_name(pattern[1:]).value)
            else:
                tree = dns_name(pattern)
                if tree.wildcard:
                    raise Refused(
                        Reason.MALFORMED,
                        "profile: names",
                        "a DNS pattern has no '*'",
                        expected=repr(tree.value[2:]),
                        got=repr(pattern),
                    )
                self.trees.add(tree.value)

    def __bool__(self) -> bool:
        return self.everything or bool(self.exact) or bool(self.trees)

    def _in_tree(self, value: str) -> bool:
        while value not in self.trees:
            _, dot, value = value.partition(".")
            if not dot:
                return False
        return True

    def permit(self, value: str) -> bool:
        return self.everything or value in self.exact or self._in_tree(value)

    def exclude(self, value: str) -> bool:
        if self.permit(value):
            return True
        if not value.startswith("*."):
            return False
        below = value[1:]
        return any(known.endswith(below) for known in self.exact) or any(known.endswith(below) for known in self.trees)


class _Networks:
    """IP patterns: CIDR. An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) does not escape an exclusion of the IPv4 address."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.networks: list[_Network] = []
        for pattern in patterns:
            try:
                self.networks.append(ipaddress.ip_network(pattern))
            except ValueError as error:
                raise Refused(
                    Reason.MALFORMED,
                    "profile: names",
                    f"not a CIDR network: {error}",
                    expected="as 192.0.2.0/24 or 2001:db8::/32",
                ) from None

    def __bool__(self) -> bool:
        return bool(self.networks)

    def _contain(self, address: _Address) -> bool:
        return any(address in network for network in self.networks)

    def permit(self, value: str) -> bool:
        return self._contain(ipaddress.ip_address(value))

    def exclude(self, value: str) -> bool:
        address = ipaddress.ip_address(value)
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return self._contain(address) or (mapped is not None and self._contain(mapped))


def _host_pattern(pattern: str) -> tuple[bool, str]:
    """Whether the pattern is ``.domain`` (all hosts below), and its DNS name."""
    name = dns_name(pattern.removeprefix("."))
    if name.wildcard:
        raise Refused(
            Reason.MALFORMED, "profile: names", "a host pattern has no '*'", expected=repr(name.value[1:]), got=repr(pattern)
        )
    return pattern.startswith("."), name.value


class _Mailboxes:
    """E-mail patterns: a mailbox, a host, or ``.domain`` for all hosts below (RFC 5280 section 4.2.1.10)."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.mailboxes: set[str] = set()
        self.hosts: set[str] = set()
        self.domains: set[str] = set()
        for pattern in patterns:
            if "@" in pattern:
                self.mailboxes.add(email_name(pattern).value)
            else:
                below, host = _host_pattern(pattern)
                (self.domains if below else self.hosts).add(host)
        # Local parts are case-sensitive on paper and hardly anywhere else: an exclusion must not be escaped by spelling.
        self.folded = {mailbox.lower() for mailbox in self.mailboxes}

    def __bool__(self) -> bool:
        return bool(self.mailboxes or self.hosts or self.domains)

    def _host(self, host: str) -> bool:
        return host in self.hosts or any(host.endswith("." + domain) for domain in self.domains)

    def permit(self, value: str) -> bool:
        return value in self.mailboxes or self._host(value.rpartition("@")[2])

    def exclude(self, value: str) -> bool:
        return value.lower() in self.folded or self._host(value.rpartition("@")[2])


class _Uris:
    """URI patterns: a host, or ``.domain``. A URI without a DNS host matches no permission and every exclusion (RFC 5280 section 4.2.1.10)."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.hosts: set[str] = set()
        self.domains: set[str] = set()
        for pattern in patterns:
            below, host = _host_pattern(pattern)
            (self.domains if below else self.hosts).add(host)

    def __bool__(self) -> bool:
        return bool(self.hosts or self.domains)

    def _matches(self, value: str) -> bool | None:
        try:
            host = dns_name(urlsplit(value).hostname or "").value
        except (Refused, ValueError):
            return None
        return host in self.hosts or any(host.endswith("." + domain) for domain in self.domains)

    def permit(self, value: str) -> bool:
        return self._matches(value) is True

    def exclude(self, value: str) -> bool:
        return bool(self) and self._matches(value) is not False


def _fold(value: str) -> str:
    """A subject attribute value as RFC 5280 section 7.1 compares it: case folded, white space compressed."""
    return " ".join(value.split()).casefold()


def _subject_patterns(patterns: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for pattern in patterns:
        attribute, equals, value = pattern.partition("=")
        if not equals or not attribute or not value.strip():
            raise Refused(
                Reason.MALFORMED, "profile: names", "not a subject pattern", expected="as 'O=Example'", got=repr(pattern)
            )
        found.setdefault(attribute, set()).add(_fold(value))
    return found


class NamePolicy:
    """The name policy of one profile revision, compiled. :raises Refused: ``MALFORMED`` for a pattern that cannot be read."""

    def __init__(self, names: Names, kinds: Sequence[str], *, required: bool) -> None:
        """``kinds`` are the template's ``names`` (kinds of subjectAltName), ``required`` its ``names_required``."""
        self._kinds = frozenset(kinds)
        self._required = required
        self._wildcards = names.wildcards
        self._maximum = names.maximum
        self._permitted: dict[NameKind, _Patterns] = {
            NameKind.DNS: _Hosts(names.permitted_dns),
            NameKind.IP: _Networks(names.permitted_ip),
            NameKind.EMAIL: _Mailboxes(names.permitted_email),
            NameKind.URI: _Uris(names.permitted_uri),
        }
        self._excluded: dict[NameKind, _Patterns] = {
            NameKind.DNS: _Hosts(names.excluded_dns),
            NameKind.IP: _Networks(names.excluded_ip),
            NameKind.EMAIL: _Mailboxes(names.excluded_email),
            NameKind.URI: _Uris(names.excluded_uri),
        }
        self._permitted_subject = _subject_patterns(names.permitted_subject)
        self._excluded_subject = _subject_patterns(names.excluded_subject)

    def check(self, names: Sequence[Name]) -> None:
        """Judge the names of one request.

        :raises Refused: with one part per name that fails; its reason is theirs, or ``COMPOUND`` where they differ.
        """
        if len(names) > self._maximum:
            raise Refused(
                Reason.REJECTED_IDENTIFIER,
                "profile: names.maximum",
                "too many names for one certificate",
                expected=f"at most {self._maximum}",
                got=str(len(names)),
            )
        if self._required and not names:
            raise Refused(
                Reason.REJECTED_IDENTIFIER,
                "profile: template.names_required",
                "a certificate of this profile needs a subjectAltName",
            )
        parts = [part for part in map(self._judge, dict.fromkeys(names)) if part is not None]
        if not parts:
            return
        first = parts[0]
        if len({part.reason for part in parts}) > 1:
            raise Refused(
                Reason.COMPOUND, "RFC 8555 section 6.7.1", f"{len(parts)} names are refused for different reasons", parts=parts
            )
        said = ", ".join(part.name.value for part in parts[:5] if part.name is not None) + (", ..." if len(parts) > 5 else "")
        raise Refused(first.reason, first.clause, f"refused by the name policy: {said}", parts=parts)

    def _judge(self, name: Name) -> Refused | None:
        if name.kind.value not in self._kinds:
            return Refused(
                Reason.UNSUPPORTED_IDENTIFIER,
                "profile: template.names",
                "this profile does not certify names of this kind",
                expected=" or ".join(sorted(self._kinds)) or "no names",
                got=name.kind.value,
                name=name,
            )
        if name.wildcard and not self._wildcards:
            return Refused(
                Reason.REJECTED_IDENTIFIER, "profile: names.wildcards", "this profile does not certify wildcards", name=name
            )
        permitted = self._permitted[name.kind]
        if permitted and not permitted.permit(name.value):
            return Refused(
                Reason.REJECTED_IDENTIFIER,
                f"profile: names.permitted_{name.kind.value}",
                "not among the permitted names",
                name=name,
            )
        if self._excluded[name.kind].exclude(name.value):
            return Refused(
                Reason.REJECTED_IDENTIFIER, f"profile: names.excluded_{name.kind.value}", "among the excluded names", name=name
            )
        return None

    def check_subject(self, attributes: Iterable[tuple[str, str]]) -> None:
        """Judge the subject of a certificate: (short name, value) pairs.

        A common name or mail address in the subject is a name that relying parties may use, so it obeys the rules for names too.
        """
        for attribute, value in attributes:
            folded = _fold(value)
            permitted = self._permitted_subject.get(attribute)
            if permitted is not None and folded not in permitted:
                raise Refused(
                    Reason.BAD_CSR,
                    "profile: names.permitted_subject",
                    f"subject attribute {attribute} is not among the permitted",
                    got=repr(value[:64]),
                )
            if folded in self._excluded_subject.get(attribute, ()):
                raise Refused(
                    Reason.BAD_CSR,
                    "profile: names.excluded_subject",
                    f"subject attribute {attribute} is excluded",
                    got=repr(value[:64]),
                )
            found = _name_in_subject(attribute, value)
            if found is None:
                continue
            kind, name = found
            if name is None:
                # Relying parties read names that we cannot (an underscore, part of a label as '*', U-labels, a port): not past a rule.
                refused = self._has_rules(kind)
            else:
                permitted_names = self._permitted[kind]
                refused = bool(permitted_names) and not permitted_names.permit(name.value)
                refused = refused or self._excluded[kind].exclude(name.value)
            if refused:
                raise Refused(
                    Reason.BAD_CSR,
                    f"profile: names.{kind.value}",
                    f"subject attribute {attribute} is a name that the name policy refuses",
                    got=repr(value[:64]),
                    name=name,
                )

    def _has_rules(self, kind: NameKind) -> bool:
        kinds = (NameKind.DNS, NameKind.IP) if kind is NameKind.DNS else (kind,)
        return any(self._permitted[one] or self._excluded[one] for one in kinds)


# What separates labels (IDNA has four of them), and what only an IPv6 address, a port or a URL has.
_HOST_MARKS = frozenset(".\u3002\uff0e\uff61:")


def _name_in_subject(attribute: str, value: str) -> tuple[NameKind, Name | None] | None:
    """Kind and name if a subject attribute is a DNS name, IP address or mailbox, or if somebody might take it for one: then without
    the name. Words with a space between them are none, and a single label is a label, not a host."""
    text = value.strip()
    one_word = not any(character.isspace() for character in text)
    if attribute == "emailAddress" or (attribute == "CN" and one_word and "@" in text):
        return _read(NameKind.EMAIL, email_name, text)
    if attribute != "CN":
        return None
    text = text.rstrip(".")
    if ":" in text or text[-1:].isdigit():  # an IPv6 address has the one, an IPv4 address ends with the other; trying takes long
        try:
            return NameKind.IP, Name(NameKind.IP, str(ipaddress.ip_address(text)))
        except ValueError:
            pass
    return _read(NameKind.DNS, dns_name, text) if one_word and not _HOST_MARKS.isdisjoint(text) else None


def _read(kind: NameKind, read: Callable[[str], Name], text: str) -> tuple[NameKind, Name | None]:
    try:
        return kind, read(text)
    except Refused:
        return kind, None
