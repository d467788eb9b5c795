"""A whole TLS connection over a wire, with OpenSSL: for what comes after the handshake."""

from __future__ import annotations

import ssl

from OpenSSL import SSL

from conformance.tls.wire import Wire

_CHUNK = 1 << 14


class Refused(Exception):
    """The other side ended the handshake, or the connection: what OpenSSL says of it."""


class Connection:
    """A client's connection. Who is at the other side is not judged.

    :param context: for what is special; its versions, suites and certificate are used as they are.
    """

    def __init__(self, wire: Wire, context: SSL.Context, host: str = "") -> None:
        self._wire = wire
        self._tls = SSL.Connection(context, None)
        self._tls.set_connect_state()
        if host:
            self._tls.set_tlsext_host_name(host.encode("idna"))

    def handshake(self) -> None:
        """Go through the handshake. :raises Refused: if the server does not."""
        self._drive(self._tls.do_handshake)

    def renegotiate(self) -> bool:
        """Ask for another handshake; whether the server went through it."""
        before = self._tls.total_renegotiations()
        try:
            self._tls.renegotiate()
            self.handshake()
        except Refused:
            return False
        return self._tls.total_renegotiations() > before and not self._tls.renegotiate_pending()

    def request(self, octets: bytes) -> bytes:
        """Send octets, and read what comes until there is a line. :raises Refused: if the server ends the connection instead."""
        self._drive(lambda: self._tls.send(octets))
        found = b""
        while b"\r\n" not in found:
            found += self._drive(lambda: self._tls.recv(_CHUNK))
        return found

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def _drive(self, step: object) -> bytes:
        assert callable(step)
        while True:
            try:
                done = step()
            except SSL.WantReadError:
                self._flush()
                octets = self._wire.receive()
                if not octets:
                    raise Refused("the connection was closed") from None
                self._tls.bio_write(octets)
            except (SSL.Error, SSL.ZeroReturnError) as failure:
                self._flush()
                raise Refused(str(failure.args[0] if failure.args else "closed")) from None
            else:
                self._flush()
                return done if isinstance(done, bytes) else b""

    def _flush(self) -> None:
        try:
            while octets := self._tls.bio_read(_CHUNK):
                self._wire.send(octets)
        except SSL.WantReadError:
            return


def client_context(version: int | None = None) -> SSL.Context:
    """A context that believes everybody. :param version: ``SSL.TLS1_2_VERSION``, say; None: any."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_NONE)
    if version is not None:
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
    return context


def ticket_lifetimes(wire: Wire, host: str, version: ssl.TLSVersion) -> list[int]:
    """For how many seconds the session tickets of a connection are good; none if there are none. :raises Refused:"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(inward, outward, server_hostname=host)

    def drive(step: object) -> None:
        assert callable(step)
        while True:
            try:
                step()
            except ssl.SSLWantReadError:
                wire.send(outward.read())
                octets = wire.receive()
                if not octets:
                    raise Refused("the connection was closed") from None
                inward.write(octets)
            except ssl.SSLError as failure:
                raise Refused(str(failure)) from None
            else:
                if outward.pending:
                    wire.send(outward.read())
                return

    drive(tls.do_handshake)
    # In TLS 1.3 tickets come after the handshake: they are read with the reply to a request.
    tls.write(b"HEAD / HTTP/1.1\r\nHost: " + host.encode("idna") + b"\r\nConnection: close\r\n\r\n")
    drive(lambda: tls.read(1))
    session = tls.session
    return [session.ticket_lifetime_hint] if session is not None and session.has_ticket else []
