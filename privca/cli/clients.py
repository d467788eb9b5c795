"""Commands for the usual clients, ready to be pasted: what ``privca up`` prints for each profile."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from urllib.parse import urlsplit

from privca.config import Config

Command = tuple[str, list[str]]
"""The client, and the parts of its command that belong in one line each."""
_DEVICE = "device.example.test"
_SPECIAL = frozenset({"approval", "strict", "lightweight", "delays", "ra"})


def commands(config: Config, profile: Mapping[str, object]) -> list[Command]:
    """Commands for one entry of ``endpoints.json``; none for a profile where something else comes first, as a person who decides, nor for
    those that examiners need beside the one for everybody."""
    if profile["protocol"] == "acme":
        return _acme(config, profile)
    if "code" not in profile or not _SPECIAL.isdisjoint(profile):
        return []
    return {"est": _est, "scep": _scep, "cmp": _cmp}[str(profile["protocol"])](config, profile)


def _acme(config: Config, profile: Mapping[str, object]) -> list[Command]:
    anchor, url = shlex.quote(str(config.file("ca.pem"))), shlex.quote(str(profile["url"]))
    port, mail = config.validation.http01_port, "you@example.test"
    bound = "kid" in profile
    # Another name, so that certbot does not find that it has a certificate for it already.
    name = "eab.example.test" if bound else "www.example.test"
    binding = [f"--eab-kid {profile['kid']}", f"--eab-hmac-key {profile['hmac_key']}"] if bound else []
    certbot = [
        f"REQUESTS_CA_BUNDLE={anchor} certbot certonly",
        f"--standalone --http-01-port {port}",
        *("-n", "--agree-tos", f"-m {mail}"),
        # So that it runs without root's directories.
        *("--config-dir certbot", "--work-dir certbot", "--logs-dir certbot"),
        *binding,
        *(f"--server {url}", f"-d {name}"),
    ]
    if bound:
        return [("certbot", certbot)]
    lego = [
        f"LEGO_CA_CERTIFICATES={anchor} lego",
        *("--accept-tos", f"--email {mail}", f"--http --http.port :{port}"),
        *(f"--server {url}", f"--domains {name} run"),
    ]
    acme_sh = [f"acme.sh --issue --standalone --httpport {port}", f"--ca-bundle {anchor}", f"--server {url}", f"-d {name}"]
    return [("certbot", certbot), ("lego", lego), ("acme.sh", acme_sh)]


def _est(config: Config, profile: Mapping[str, object]) -> list[Command]:
    anchor, url, user = _anchor(config), shlex.quote(f"{profile['url']}/simpleenroll"), f"{profile['username']}:{profile['code']}"
    place = urlsplit(str(profile["url"]))
    curl = [
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout est.key",
        f"-subj /CN={_DEVICE} -outform DER | openssl base64 |",
        f"curl -sS --cacert {anchor} -u {user}",
        "-H 'Content-Type: application/pkcs10' --data-binary @-",
        f"{url} |",
        "openssl base64 -d | openssl pkcs7 -inform DER -print_certs -out est.pem",
    ]
    strongswan = [
        "pki --gen --type ecdsa --outform pem > est.key &&",
        f"pki --req --type ecdsa --in est.key --dn CN={_DEVICE} > est.req &&",
        f"pki --est --url {place.scheme}://{place.netloc} --label {profile['id']}",
        f"--cacert {anchor} --userpass {user} --in est.req --outform pem > est.pem",
    ]
    found = [("curl", curl), ("strongSwan", strongswan)]
    if "default" in profile:
        # It cannot send a path segment.
        estclient = [
            f"EST_OPENSSL_CACERT={anchor} estclient -e -s {place.hostname} -p {place.port or 443}",
            f"-u {profile['username']} -h {profile['code']} --common-name {_DEVICE} --pem-output -o .",
        ]
        found.append(("estclient", estclient))
    return found


def _scep(_: Config, profile: Mapping[str, object]) -> list[Command]:
    url, code = shlex.quote(str(profile["url"])), profile["code"]
    scepclient = [
        # Left alone it encrypts for every CA certificate that it is shown, the root's too, which may be no RSA.
        f"scepclient -key-encipherment-selector -server-url {url} -challenge {code}",
        f"-private-key scep.key -certificate scep.pem -cn {_DEVICE} -dnsname {_DEVICE}",
    ]
    strongswan = [
        f"pki --scepca --url {url} --caout scep-ca.der --force &&",
        "pki --gen --type rsa --outform pem > scep.key &&",
        f"pki --scep --url {url} --in scep.key --dn CN={_DEVICE} --password {code}",
        "--cacert scep-ca.der --cacert-enc scep-ca-1.der --cacert-sig scep-ca-1.der --outform pem > scep.pem",
    ]
    return [("scepclient", scepclient), ("strongSwan", strongswan)]


def _cmp(config: Config, profile: Mapping[str, object]) -> list[Command]:
    openssl = [
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out cmp.key &&",
        f"openssl cmp -cmd ir -server {shlex.quote(str(profile['url']))}",
        f"-ref {profile['reference']} -secret pass:{profile['code']} -trusted {_anchor(config)}",
        f"-newkey cmp.key -subject /CN={_DEVICE} -certout cmp.pem",
    ]
    return [("openssl", openssl)]


def _anchor(config: Config) -> str:
    return shlex.quote(str(config.file("ca.pem")))
