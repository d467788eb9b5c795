"""Full CMC over real TLS sockets with a server that runs as a process: the client on pyasn1, carried by curl; responses verified by openssl."""

import json
import shutil
import subprocess
from base64 import b64decode, encodebytes

import pytest
from cryptography import x509

from tests.support import cmc_client as cmc
from tests.support.running import PATIENCE, free_port, lab, quickly

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("openssl") is None, reason="needs the curl and openssl commands"
)


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    directory = tmp_path_factory.mktemp("cmc") / "lab"
    with lab(directory, "--http01-port", str(free_port()), "--tlsalpn01-port", str(free_port())) as running:
        yield running


def post(up, message):
    """Status and response."""
    (up.directory / "message.b64").write_bytes(encodebytes(message))
    done = subprocess.run(
        [
            *(
                "curl",
                "-sS",
                "--cacert",
                up.directory / "ca.pem",
                "-H",
                "Content-Type: application/pkcs7-mime; smime-type=CMC-request",
            ),
            *(
                "--data-binary",
                f"@{up.directory / 'message.b64'}",
                "-o",
                up.directory / "reply",
                "-w",
                "%{http_code} %{content_type}",
            ),
            up.profile("lab-est")["url"] + "/fullcmc",
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    status, _, kind = done.stdout.partition(" ")
    body = b64decode((up.directory / "reply").read_bytes())
    if kind.endswith("CMC-response"):
        (up.directory / "reply.der").write_bytes(body)
        verify = ["openssl", "cms", "-verify", "-inform", "DER", "-binary", "-in", up.directory / "reply.der", "-purpose", "any"]
        subprocess.run([*verify, "-CAfile", up.directory / "ca.pem"], capture_output=True, timeout=PATIENCE, check=True)
    return int(status), cmc.read(body)


def enrollment(up, key, name, secret=None):
    entry = up.profile("lab-est")
    requests = [cmc.crm(cmc.crmf(201, key, cmc.name(CN=name), [name]))]
    controls = [
        cmc.control(1, 2, cmc.text(entry["username"])),
        cmc.identity_proof(2, requests, secret or entry["code"], entry["username"]),
        cmc.control(3, 6, cmc.octets(b"a nonce")),
    ]
    return cmc.signed(cmc.pki_data(controls, requests), [cmc.Signer(key)])


def test_from_the_first_certificate_to_its_revocation(up):
    key = cmc.new_key()
    status, reply = post(up, enrollment(up, key, "cmc.example.test"))
    assert (status, reply.status_of(201).status, reply.controls[7]) == (200, "success", [cmc.octets(b"a nonce")])
    certificate = reply.certificate_for(key)
    signer = cmc.Signer(key, certificate.public_bytes(cmc.Encoding.DER))
    request = cmc.revoke_request(certificate.issuer.public_bytes(), certificate.serial_number)
    status, reply = post(up, cmc.signed(cmc.pki_data([cmc.control(1, 17, request)]), [signer]))
    assert (status, reply.status_of(1).status) == (200, "success")
    shown = quickly("cert", "show", f"{certificate.serial_number:x}", "--json", "--dir", up.directory)
    assert json.loads(shown.stdout)["status"] == "revoked"
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_a_wrong_secret(up):
    status, reply = post(up, enrollment(up, cmc.new_key(), "cmc.example.test", "another secret altogether"))
    assert (status, [one.failure for one in reply.statuses]) == (401, ["badIdentity"])
