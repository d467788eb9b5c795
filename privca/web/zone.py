"""What the lab's DNS says: one address for every name, unless somebody said something else. No I/O."""

from __future__ import annotations

import ipaddress
from collections import deque
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

_CHAIN = 16
_HISTORY = 1024


@dataclass
class LabZone:
    """``ipv4`` and ``ipv6`` answer every A and AAAA query that nothing else answers; empty: no such answer. Other records are added by name.

    Names are kept as :class:`dns.name.Name`, so that case and the final dot make no difference. SERVFAIL goes before everything else.
    """

    ipv4: str = "127.0.0.1"
    ipv6: str = ""
    _records: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], list[dns.rdata.Rdata]] = field(default_factory=dict)
    _servfail: set[dns.name.Name] = field(default_factory=set)
    _history: deque[tuple[dns.name.Name, dns.rdatatype.RdataType]] = field(default_factory=lambda: deque(maxlen=_HISTORY))

    def set_default(self, kind: dns.rdatatype.RdataType, address: str) -> None:
        """Answer all A or AAAA queries with ``address``; empty: with nothing. :raises ValueError:"""
        if kind == dns.rdatatype.A:
            self.ipv4 = str(ipaddress.IPv4Address(address)) if address else ""
        else:
            self.ipv6 = str(ipaddress.IPv6Address(address)) if address else ""

    def add(self, host: str, kind: dns.rdatatype.RdataType, *values: str) -> None:
        """Add records in zone file form. :raises ValueError: if the name or a value is not one."""
        name = _name(host)
        try:
            records = [dns.rdata.from_text(dns.rdataclass.IN, kind, value, relativize=False) for value in values]
        except dns.exception.DNSException as wrong:
            raise ValueError(f"not {dns.rdatatype.to_text(kind)} data: {wrong}") from None
        kept = self._records.setdefault((name, kind), [])
        kept += [record for record in records if record not in kept]

    def clear(self, host: str, kind: dns.rdatatype.RdataType) -> None:
        """Forget the records of one kind."""
        self._records.pop((_name(host), kind), None)

    def fail(self, host: str, failing: bool) -> None:
        """Answer SERVFAIL for ``host``, or no longer."""
        if failing:
            self._servfail.add(_name(host))
        else:
            self._servfail.discard(_name(host))

    def asked(self, host: str) -> list[str]:
        """The kinds that were asked for ``host``, oldest first."""
        name = _name(host)
        return [dns.rdatatype.to_text(kind) for asked, kind in self._history if asked == name]

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """The response to ``query``."""
        response = dns.message.make_response(query, recursion_available=True)
        if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
            response.set_rcode(dns.rcode.NOTIMP)
            return response
        question = query.question[0]
        name = question.name
        self._history.append((_lower(name), question.rdtype))
        for _ in range(_CHAIN):
            if _lower(name) in self._servfail:
                response.set_rcode(dns.rcode.SERVFAIL)
                response.answer.clear()
                return response
            records = self._find(name, question.rdtype)
            if records:
                response.answer.append(dns.rrset.from_rdata_list(name, 0, records))
                return response
            alias = self._records.get((_lower(name), dns.rdatatype.CNAME))
            if not alias:
                return response
            response.answer.append(dns.rrset.from_rdata_list(name, 0, alias))
            name = alias[0].target  # type: ignore[attr-defined]
        response.set_rcode(dns.rcode.SERVFAIL)
        return response

    def _find(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> list[dns.rdata.Rdata]:
        records = self._records.get((_lower(name), kind))
        if records:
            return records
        if (_lower(name), dns.rdatatype.CNAME) in self._records:
            return []
        default = {dns.rdatatype.A: self.ipv4, dns.rdatatype.AAAA: self.ipv6}.get(kind, "")
        return [dns.rdata.from_text(dns.rdataclass.IN, kind, default)] if default else []


def _name(host: str) -> dns.name.Name:
    try:
        return _lower(dns.name.from_text(host))
    except dns.exception.DNSException as wrong:
        raise ValueError(f"{host[:80]!r} is no DNS name: {wrong}") from None


def _lower(name: dns.name.Name) -> dns.name.Name:
    return name.canonicalize()
