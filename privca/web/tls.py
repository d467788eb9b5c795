"""TLS for the server: versions 1.2 and 1.3 with the suites of RFC 9325, and client certificates that TLS asks for but does not judge.

Whether a client certificate is trusted is the matter of a profile (EST, CMP), so the handshake only proves that the client has the
key. HTTP/2 is not offered (it costs four times the CPU). No session is ever resumed: a ticket key that is not rotated over all
workers would end forward secrecy (RFC 9325 section 3.3), and clients of a CA come seldom. (In TLS 1.3 OpenSSL still sends tickets;
they name sessions that are not kept.) Nor is a handshake repeated (no renegotiation), so that the first Finished of a connection is the
client's and the only one: what RFC 5929 section 3 makes a channel binding of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from OpenSSL import SSL
from OpenSSL._util import lib as _openssl
from OpenSSL.crypto import FILETYPE_ASN1, X509, dump_certificate
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from privca.base.http import ChannelBinding
from privca.web.reactor import Reactor

ServerKey = EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey

# RFC 9325 section 4.2: forward secrecy and AEAD only, and of what a client offers the stronger (section 4.2.1). TLS 1.3 suites are not in
# this list and are all acceptable.
_SUITES = (
    b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
)
_HTTP = b"http/1.1"
# RFC 9266 section 2.
_EXPORTER_LABEL, _EXPORTER_LENGTH = b"EXPORTER-Channel-Binding", 32


class Connection(SSL.Connection):
    """One TLS connection, of either side. A close_notify in the midst of the handshake is the end of the connection, no error of ours:
    pyOpenSSL raises an exception without arguments then, and Twisted asks for the first one."""

    def do_handshake(self) -> None:
        """Go on with the handshake. :raises SSL.Error: if it fails or wants more octets."""
        try:
            super().do_handshake()
        except SSL.ZeroReturnError:
            raise SSL.SysCallError(-1, "Unexpected EOF") from None


class Session:
    """One TLS connection as the protocols may ask about it (:class:`privca.base.http.TlsSession`). It may be asked when the
    connection has ended; there may be no channel binding any more then."""

    def __init__(self, connection: SSL.Connection) -> None:
        self._connection = connection

    @property
    def version(self) -> str:
        """``TLSv1.2`` or ``TLSv1.3``."""
        return self._connection.get_protocol_version_name()

    def chain(self) -> tuple[bytes, ...]:
        """The certificates that the client sent behind its own, DER, in its order."""
        # On the server's side OpenSSL leaves the client's own certificate out of this list.
        return tuple(dump_certificate(FILETYPE_ASN1, one) for one in self._connection.get_peer_cert_chain() or ())

    def channel_binding(self, kind: ChannelBinding) -> bytes | None:
        """The octets of a channel binding, or None: without the extended master secret a man in the middle can give two connections
        the same ``tls-unique`` (RFC 7627 section 1), and in TLS 1.3 there is none (RFC 8446 section C.5)."""
        if kind is ChannelBinding.TLS_EXPORTER:
            if self.version != "TLSv1.3":
                return None
            return self._connection.export_keying_material(_EXPORTER_LABEL, _EXPORTER_LENGTH, b"")
        if self.version != "TLSv1.2" or not _has_extended_master_secret(self._connection):
            return None
        return self._connection.get_peer_finished()


def _has_extended_master_secret(connection: SSL.Connection) -> bool:
    # pyOpenSSL has the call and no method for it.
    return bool(_openssl.SSL_get_extms_support(connection._ssl) == 1)


@implementer(IOpenSSLServerConnectionCreator)
class ServerTls:
    """What the server shows of itself in TLS. :meth:`replace` takes effect with the next connection.

    :param certificates: the server's own first, then its issuers.
    """

    def __init__(self, certificates: Sequence[x509.Certificate], key: ServerKey) -> None:
        self._context = _context(certificates, key)

    def replace(self, certificates: Sequence[x509.Certificate], key: ServerKey) -> None:
        """Use another certificate and key from now on. :raises ValueError: if they do not belong together; then nothing changes."""
        self._context = _context(certificates, key)

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802, N803
        """One connection."""
        return Connection(self._context, None)


class TlsFactory(TLSMemoryBIOFactory):
    """TLS around a factory whose protocols write each reply at once: without the delay that gathers small writes."""

    protocol = TLSMemoryBIOProtocol

    def __init__(self, tls: ServerTls, wrapped: Factory[Any], reactor: Reactor) -> None:
        super().__init__(cast("Any", tls), False, cast("Any", wrapped), clock=cast("Any", reactor))


def _context(certificates: Sequence[x509.Certificate], key: ServerKey) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(_SUITES)
    context.set_options(
        SSL.OP_NO_COMPRESSION
        | SSL.OP_NO_RENEGOTIATION
        | SSL.OP_CIPHER_SERVER_PREFERENCE
        | SSL.OP_NO_TICKET
        | SSL.OP_SINGLE_ECDH_USE
    )
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    own, *issuers = certificates
    context.use_certificate(own)
    for issuer in issuers:
        context.add_extra_chain_cert(issuer)
    try:
        context.use_privatekey(key)
        context.check_privatekey()
    except SSL.Error:
        raise ValueError("the key is not that of the server certificate") from None
    context.set_verify(SSL.VERIFY_PEER, _judge_nothing)
    # OpenSSL would build a path from all that a client sends, and verify each signature in it, only for us not to look at the result: who
    # wants us to be busy sends a hundred certificates. The path that a profile judges is built from what came, whatever this says.
    context.set_verify_depth(0)
    context.set_alpn_select_callback(_choose)
    return context


def _judge_nothing(connection: SSL.Connection, certificate: X509, error: int, depth: int, ok: int) -> bool:
    return True


def _choose(connection: SSL.Connection, offered: list[bytes]) -> bytes:
    if _HTTP not in offered:
        # RFC 7301 section 3.2: a fatal no_application_protocol alert, which is what an exception in this callback makes of the handshake.
        raise SSL.Error([("SSL routines", "", "no application protocol")])
    return _HTTP
