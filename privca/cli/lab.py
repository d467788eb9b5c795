"""The lab that ``privca up`` makes on its first run: one directory, with a configuration that a person can read and change.

Every step can be done again: a first run that was cut off is completed by the next one.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from pathlib import Path

from privca.config import SERVED_PROTOCOLS, ConfigurationError, Lab, Server, Validation
from privca.keys.files import private_directory, read_private, write_private

CONFIG = "privca.toml"
REFERENCE = "lab"
"""The name (user name, CMP reference) that goes with the generated codes."""
_DECRYPTION_KEY = 32
"""Octets: AES-256."""

_TEXT = """\
# A lab of privca, made by 'privca up'. Change what you like: 'privca check --dir DIR' tells what is wrong and how to mend it.
# Profiles are read into the store once; after a change here, 'privca profile apply privca.toml --dir DIR' makes a new revision.

[server]
bind = {bind}
https_port = {https_port}
http_port = {http_port}
admin_port = {admin_port}
hosts = {hosts}
workers = {workers}

[store]
durable = false  # a power cut may take the last moments; a crash or kill -9 takes nothing

[validation]
http01_port = {http01_port}
tlsalpn01_port = {tlsalpn01_port}
resolver = {resolver}  # "" is the built-in one below
allow = ["0.0.0.0/0", "::/0"]  # a lab validates on loopback

[lab]
resolver = {built_in}
resolver_port = {resolver_port}

[ca.lab-root]
subject = {{ CN = "privca lab root {mark}", O = "privca lab" }}
key = "P-256"
validity = "10y"

[ca.lab-ec]
subject = {{ CN = "privca lab EC {mark}", O = "privca lab" }}
parent = "lab-root"
key = "P-256"
validity = "5y"
path_length = 0

[ca.lab-rsa]
subject = {{ CN = "privca lab RSA {mark}", O = "privca lab" }}
parent = "lab-root"
key = "RSA-2048"
validity = "5y"
path_length = 0
key_encipherment = true  # deciphers what SCEP clients encrypt for it

[template.tls]
subject = {{ CN = {{ source = "first-name" }} }}
key_usage = ["digitalSignature", "keyEncipherment"]
extended_key_usage = ["serverAuth", "clientAuth"]
"""


def _device_profiles(protocol: str, issuer: str, options: str = "") -> str:
    return f"""
# Devices that know the code, which 'privca code show lab-{protocol}' tells, or have a one-time passcode ('privca otp issue lab-{protocol}'),
# or a certificate of this profile.
[profile.lab-{protocol}]
protocol = "{protocol}"
issuer = "{issuer}"
template = "device"
authentication = ["code", "otp", "certificate"]
renewal_window = "90d"  # the whole validity: a lab need not wait
default = true
{options}
# The same, and devices without any credential too; a person decides about each request: 'privca request list'.
[profile.lab-{protocol}-approval]
protocol = "{protocol}"
issuer = "{issuer}"
template = "device"
authentication = ["code", "otp", "certificate", "approval"]
approval_always = true
renewal_window = "90d"
waiting = {{ retry_after = 5 }}
{options}"""


_SCEP = """\
# The last of each are insecure, and all that some devices know: Debian's scepclient encrypts with DES whatever it is told.
scep.digests = ["sha256", "sha384", "sha512", "sha224", "sha1", "md5"]
scep.ciphers = ["aes128", "aes192", "aes256", "3des", "des"]
scep.password_recipients = true  # for clients with EC keys; the password is the code
scep.password_reference = "lab"
"""
_STRICT_SCEP = """
# What RFC 8894 has, and no more: neither MD5 nor single DES, no deviation of clients, and a signingTime that is right.
[profile.lab-scep-strict]
protocol = "scep"
issuer = "lab-rsa"
template = "device"
authentication = ["code", "otp", "certificate"]
renewal_window = "90d"
tolerant = false
scep.signing_time = "1h"
scep.password_recipients = true
scep.password_reference = "lab"
"""
_CMP = """\
keys = ["P-256", "P-384", "P-521", "RSA", "Ed25519", "Ed448", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "X25519", "ML-KEM-768", "ML-KEM-1024"]
cmp.central_key_generation = true  # for clients that ask for a key, encrypted under their code or for their certificate
cmp.check_after = 2  # seconds between two looks of a client that waits
"""
_LIGHTWEIGHT = f"""
# The same, but every message is held to the Lightweight CMP Profile (RFC 9483).
[profile.lab-cmp-lightweight]
protocol = "cmp"
issuer = "lab-ec"
template = "device"
authentication = ["code", "otp", "certificate"]
renewal_window = "90d"
cmp.rules = "rfc9483"
{_CMP}"""
_EXAMINED = f"""
# The same, but every client has to ask again for its answer.
[profile.lab-cmp-delayed]
protocol = "cmp"
issuer = "lab-ec"
template = "device"
authentication = ["code", "otp", "certificate"]
certificate_profiles = ["lab-cmp"]  # whose certificates authenticate here, too
renewal_window = "90d"
cmp.delayed = ["ir", "cr", "kur", "p10cr", "rr", "genm"]
{_CMP.replace("cmp.check_after = 2", "cmp.check_after = 1")}
# Certificates by which registration authorities are known: who has one vouches for the requests of others.
[profile.lab-cmp-ra]
protocol = "cmp"
issuer = "lab-ec"
template = "registration-authority"
authentication = ["code"]
renewal_window = "90d"

[template.registration-authority]
subject = {{ CN = {{}} }}
names_required = false
key_usage = ["digitalSignature"]
extended_key_usage = ["cmcRA"]
"""
_STRICT_EST = """
# RFC 8951 to the letter, and no more. Clients are told what to put into a CSR, by a list and by a template (RFC 9908), and have to link
# identity and proof of possession (RFC 7030 section 3.5).
[profile.lab-est-strict]
protocol = "est"
issuer = "lab-ec"
template = "device"
authentication = ["code", "otp", "certificate"]
keys = ["P-256"]
renewal_window = "90d"
tolerant = false

[profile.lab-est-strict.est]
channel_binding = "required"
# extensionRequest of a critical keyUsage: digitalSignature, keyAgreement.
csr_attributes = [{ oid = "1.2.840.113549.1.9.14", values = ["3010300e0603551d0f0101ff040403020388"] }]

[profile.lab-est-strict.est.csr_template]
subject = [{ type = "CN" }, { type = "O", value = "privca lab" }]
key = "P-256"
extensions = [
    { oid = "2.5.29.17" },  # subjectAltName, which the client fills in
    { oid = "2.5.29.15", critical = true, value = "03020388" },
]
"""
_PROFILES = {
    "acme": """
# Any new account; names are proven by challenges.
[profile.lab-acme]
protocol = "acme"
issuer = "lab-ec"
template = "tls"
authentication = ["account"]
default = true
acme = { retry_after = 1 }  # seconds between two looks of a client

# The same, for accounts that come with an external account binding: 'privca eab issue lab-acme-eab'.
[profile.lab-acme-eab]
protocol = "acme"
issuer = "lab-rsa"
template = "tls"
authentication = ["eab"]
acme = { retry_after = 1 }
""",
    "est": _device_profiles(
        "est", "lab-ec", 'est = { server_keys = "clear" }  # /serverkeygen makes keys, encrypted if a client asks for it\n'
    )
    + _STRICT_EST,
    "scep": _device_profiles("scep", "lab-rsa", _SCEP) + _STRICT_SCEP,  # whose key SCEP clients encrypt to
    "cmp": _device_profiles("cmp", "lab-ec", _CMP) + _LIGHTWEIGHT + _EXAMINED,
}
"""What a new lab has for each protocol that is served."""
_DEVICE = """
# Subject and names as the device asks for them.
[template.device]
subject = { CN = {}, serialNumber = {}, O = {}, OU = {}, L = {}, ST = {}, C = {}, DC = {}, UID = {} }
names = ["dns", "ip", "email", "uri"]
names_required = false
key_usage = ["digitalSignature", "keyEncipherment", "keyAgreement"]
extended_key_usage = ["clientAuth", "serverAuth"]
"""


def claim(directory: Path) -> int:
    """Make ``directory`` if it is absent, mode 0700, and take it for this process: the descriptor that holds the lock.

    :raises ConfigurationError: if another ``up`` runs on it, or something that is no lab is in it.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = hold(directory)
        # What a first run that was cut off leaves behind is no stranger's.
        entries = [entry for entry in os.listdir(directory) if not entry.startswith(f".{CONFIG}.")]
    except BlockingIOError:
        raise ConfigurationError(
            f"{directory}: another 'privca up' runs on it{_pid(directory)}; stop that one, or name another directory with --dir"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{directory}: cannot be used: {error.strerror}; name another with --dir") from None
    if entries and CONFIG not in entries:
        os.close(held)
        raise ConfigurationError(f"{directory}: is not empty and no lab is in it; name another directory with --dir")
    try:
        os.fchmod(held, 0o700)
    except OSError as error:
        os.close(held)
        raise ConfigurationError(
            f"{directory}: cannot be closed to others: {error.strerror}; name another directory with --dir"
        ) from None
    return held


def text(server: Server, validation: Validation, lab: Lab) -> str:
    """The configuration of a new lab. Its CAs are marked, so that two labs can be told apart in a trust store."""
    head = _TEXT.format(
        bind=json.dumps(server.bind),
        https_port=server.https_port,
        http_port=server.http_port,
        admin_port=server.admin_port,
        hosts=json.dumps(server.hosts),
        workers=server.workers,
        http01_port=validation.http01_port,
        tlsalpn01_port=validation.tlsalpn01_port,
        resolver=json.dumps(validation.resolver),
        built_in=json.dumps(lab.resolver),
        resolver_port=lab.resolver_port,
        mark=secrets.token_hex(3),
    )
    profiles = [profiles for protocol, profiles in _PROFILES.items() if protocol in SERVED_PROTOCOLS]
    return "".join([head, *([_DEVICE] if len(profiles) > 1 else []), *profiles])


def decryption_key(directory: Path) -> dict[str, object]:
    """The secret key, made if it is not there, to which keys that the server makes can be encrypted (RFC 7030 section 4.4.1.1), in hex.

    :param directory: of a profile, as :class:`privca.keys.decryption.DecryptionKeyFiles` looks there.
    """
    path = directory / f"{REFERENCE.encode().hex()}.key"
    if not path.exists():
        private_directory(directory.parent)
        private_directory(directory)
        write_private(path, secrets.token_hex(_DECRYPTION_KEY).encode())
    key = read_private(path, 1 << 10).decode()
    return {"decrypt_key_identifier": REFERENCE.encode().hex(), "decrypt_key": key}


def hold(path: Path) -> int:
    """Take ``path``, a directory or file, for this process: the descriptor that holds the lock. :raises BlockingIOError: if it is taken."""
    held = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise
    return held


def running(config: Path) -> bool:
    """Whether an ``up`` runs on the directory of this configuration, or a ``serve`` on the configuration."""
    for path in (config.parent, config):
        held = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            # Shared, so that looking never keeps a server from starting that others look for as well.
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(held)
    return False


def _pid(directory: Path) -> str:
    try:
        return f" (process {json.loads((directory / 'endpoints.json').read_bytes())['pid']})"
    except (OSError, ValueError, KeyError):
        return ""
