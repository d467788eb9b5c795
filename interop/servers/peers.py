"""Debian's own servers of EST and SCEP, in a client's root directory: they tell whether a failure is the client's, its driver's, or ours.

libest's estserver binds all addresses: it runs inside the worker's network namespace, where there is nothing but ``lo``.
"""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from interop import images, system
from interop.certificates import make_server_certificate
from interop.declaration import clients
from interop.engines.place import INSIDE_JOB, RootfsPlace
from interop.engines.rootfs import shared_root
from interop.servers.server import Record, Server, ServerError, Service


def _root(client: str) -> Path:
    debian = clients()[client].debian
    if debian is None:
        raise ServerError(f"{client} is no Debian package")
    try:
        return shared_root(debian, install=False)
    except system.MissingError as error:
        raise ServerError(str(error)) from None


class Peer(Server):
    """A server in a root directory; it cannot be asked what it issued."""

    publishes_crl = False
    keeps_records = False
    client: ClassVar[str]
    """The client whose root directory the server is in, as it comes from the same package."""

    def enter(self, command: Sequence[str], **environment: str) -> None:
        """Start a program inside, with this server's folder at ``INSIDE_JOB``."""
        place = RootfsPlace(str(_root(self.client)))
        folder = self.folder / f"run-{len(self._processes)}"
        folder.mkdir(exist_ok=True)
        argv = place.enter(folder, self.trust, command, environment)
        self.run([*argv], env={"PATH": os.environ["PATH"]}, start_new_session=True)

    @property
    def trust(self) -> Path:
        """What clients trust for TLS."""
        return self.folder / "tls.pem"

    @property
    def anchors(self) -> Path:
        """The root of what it issues."""
        return self.folder / "ca.pem"

    def record(self, serial: int) -> Record | None:
        """It cannot be asked."""
        return None

    def names_issued(self) -> set[str] | None:
        """It cannot be asked."""
        return None

    @staticmethod
    def listens(port: int) -> bool | None:
        """True once somebody listens."""
        with socket.socket() as probe:
            return True if probe.connect_ex(("127.0.0.1", port)) == 0 else None


CA_CONFIG = """
[ca]
default_ca = lab
[lab]
dir = {folder}
new_certs_dir = $dir/certs
database = $dir/index.txt
serial = $dir/serial
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_days = 30
default_md = sha256
policy = policy
unique_subject = no
copy_extensions = copy
x509_extensions = leaf
[policy]
commonName = supplied
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
# Arguments: folder, port, then those of estserver. The TLS certificate is its own trust anchor, and so its own CA.
ESTSERVER = """
set -eu
cd $1; port=$2; shift 2
mkdir certs
: > index.txt
echo 1000 > serial
openssl ecparam -genkey -name prime256v1 -noout -out ca.key
openssl req -x509 -new -key ca.key -subj /CN=peer -days 30 -out ca.pem \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
cat tls.pem > server.pem
export EST_TRUSTED_CERTS=ca.pem EST_CACERTS_RESP=ca.pem EST_OPENSSL_CACONFIG=ca.cnf
exec estserver -c server.pem -k tls.key -r estrealm -p $port "$@"
"""
LOGIN = {"username": "estuser", "code": "estpwd"}
TOKEN = {"username": "estuser", "code": "a-bearer-token"}


class Estserver(Peer):
    """libest's estserver, one for each variant."""

    client = "estclient"
    VARIANTS: ClassVar[dict[str, tuple[str, ...]]] = {
        "": ("-o",),
        "est-csrattrs": ("-o",),
        "est-digest": ("-o", "-h"),
        "est-bearer": ("-o", "--token", TOKEN["code"]),
        "est-pop": ("-o", "-t"),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        make_server_certificate(folder / "tls.pem", folder / "tls.key")
        self._ports: dict[str, int] = {}
        self._anchor = folder

    @classmethod
    def offers(cls, protocol: str, variant: str) -> bool:
        """EST, as far as its command line goes."""
        return protocol == "est" and variant in cls.VARIANTS

    @staticmethod
    def version() -> str:
        """That of the package."""
        return images.version(_root("estclient"), "libest-utils")

    @property
    def anchors(self) -> Path:
        """The CA of the variant that was asked for last."""
        return self._anchor / "ca.pem"

    def service(self, protocol: str, *, with_credential: bool, variant: str = "", fault: str = "") -> Service:
        """The server that was started for the variant."""
        if variant not in self._ports:
            port = 8085 + len(self._ports)
            folder = self.folder / f"run-{len(self._ports)}"
            folder.mkdir()
            for name in ("tls.pem", "tls.key"):
                (folder / name).write_bytes((self.folder / name).read_bytes())
            (folder / "ca.cnf").write_text(CA_CONFIG.format(folder=INSIDE_JOB))
            self.enter(["bash", "-c", ESTSERVER, "estserver", INSIDE_JOB, str(port), *self.VARIANTS[variant]])
            self.wait(functools.partial(self.listens, port))
            self._ports[variant] = port
        self._anchor = self.folder / f"run-{list(self._ports).index(variant)}"
        credential = TOKEN if variant == "est-bearer" else LOGIN
        url = f"https://127.0.0.1:{self._ports[variant]}/.well-known/est"
        return Service(url, self.trust, "", "", credential if with_credential else None)


SCEPSERVER = """
set -eu
cd $1
scepserver ca -init -depot depot -keySize 2048 -organization peer
cp depot/ca.pem .
exec scepserver -depot depot -http-addr 127.0.0.1:8080 -allowrenew 0 -challenge challenge
"""


class Scepserver(Peer):
    """micromdm's scepserver."""

    client = "scepclient"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.trust.write_bytes(b"")
        self.enter(["sh", "-c", SCEPSERVER, "scepserver", INSIDE_JOB])
        self.wait(functools.partial(self.listens, 8080))

    @classmethod
    def offers(cls, protocol: str, variant: str) -> bool:
        """SCEP as it is."""
        return protocol == "scep" and not variant

    @staticmethod
    def version() -> str:
        """That of the package."""
        return images.version(_root("scepclient"), "scep")

    @property
    def anchors(self) -> Path:
        """Its CA."""
        return self.folder / "run-0" / "ca.pem"

    def service(self, protocol: str, *, with_credential: bool, variant: str = "", fault: str = "") -> Service:
        """Its only service; what clients trust is the CA."""
        credential = {"code": "challenge"} if with_credential else None
        return Service("http://127.0.0.1:8080/scep", self.anchors, "", "", credential)
