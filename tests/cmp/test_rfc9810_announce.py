"""Announcements (RFC 9810 sections 5.3.13 to 5.3.16), pushed by HTTP (RFC 9811 section 3.5)."""

import http.server
import threading

import pytest
from cryptography import x509

from privca.base.refused import Refused
from privca.cmp.rfc9810 import announce
from privca.issuance.ports import RevocationReason
from tests.support import cmp
from tests.support.issuance_lab import run
from tests.support.running import quickly

CKUANN, CANN, RANN, CRLANN = 15, 16, 17, 18


def sent(lab, body, content):
    ca = lab.ca
    octets = run(announce.message(ca.exchange(), lab.profile, ca.delegates, ca.authorities, ca.keys, body, content))
    message = cmp.Reply(octets)
    assert message.verify(None) == "signature"
    assert message.recip_nonce is None if message.field(6) is not None else True
    return message


def certificate(node):
    return x509.load_der_x509_certificate(node.raw)


def test_section_5_3_13_a_root_with_a_new_key(lab):
    authorities = lab.ca.authorities
    with pytest.raises(Refused, match="there is no update"):
        run(announce.ca_key_update(authorities, lab.profile))
    old = run(authorities.current("root")).certificate
    run(authorities.rollover("root"))
    new = run(authorities.current("root")).certificate
    message = sent(lab, *run(announce.ca_key_update(authorities, lab.profile)))
    assert (message.kind, message.pvno) == (CKUANN, 3)
    update = message.content[0]
    assert message.content.tag == 0xA0
    assert certificate(update[0]) == new
    certificate(update.tagged(0)[0]).verify_directly_issued_by(old)
    certificate(update.tagged(1)[0]).verify_directly_issued_by(new)


def test_section_5_3_14_a_certificate(lab):
    issued = lab.device().certificate
    message = sent(lab, *announce.certificate(lab.record(issued)))
    assert (message.kind, message.pvno, certificate(message.content)) == (CANN, 2, issued)


def test_section_5_3_15_a_revocation(lab):
    issued = lab.device().certificate
    with pytest.raises(Refused, match="not revoked"):
        announce.revocation(lab.record(issued), lab.clock.now())
    run(lab.ca.revocation.revoke(lab.record(issued).serial, RevocationReason.KEY_COMPROMISE, "operator:x", lab.clock.now()))
    with pytest.raises(Refused, match="is revoked is not announced"):
        announce.certificate(lab.record(issued))
    message = sent(lab, *announce.revocation(lab.record(issued), lab.clock.now()))
    status, identifier, at, since = message.content.inside
    assert (message.kind, status.number, identifier[1].number) == (RANN, 5, issued.serial_number)
    assert identifier[0].raw == cmp.tlv(0xA4, issued.issuer.public_bytes())
    assert at.raw == since.raw == cmp.time(lab.clock.now())


def test_section_5_3_16_the_crls(lab):
    message = sent(lab, *run(announce.crls(lab.ca.lists, lab.ca.authorities, lab.profile, lab.clock.now())))
    (crl,) = message.content.inside
    issuing = run(lab.ca.authorities.current("issuing")).certificate
    assert (message.kind, x509.load_der_x509_crl(crl.raw).issuer) == (CRLANN, issuing.subject)


class Recipient(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, self.headers["Content-Type"], body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def recipient():
    server = http.server.HTTPServer(("127.0.0.1", 0), Recipient)
    server.received, server.status = [], 201
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


CONFIG = """
[store]
durable = false

[ca.root]
subject = {{ CN = "root" }}

[template.device]
names_required = false

[profile.devices]
protocol = "cmp"
issuer = "root"
template = "device"
authentication = ["certificate"]
cmp = {{ announce_to = ["http://127.0.0.1:{port}/.well-known/cmp"] }}
"""


def test_rfc9811_3_5_an_administrator_has_it_pushed_to_who_the_profile_names(recipient, tmp_path):
    config = tmp_path / "privca.toml"
    config.write_text(CONFIG.format(port=recipient.server_port))
    assert quickly("ca", "rollover", "root", "--config", config).returncode == 0
    assert quickly("profile", "apply", config, "--config", config).returncode == 0
    done = quickly("cmp", "announce", "crlann", "devices", "--config", config)
    assert done.returncode == 0, done.stderr
    ((path, kind, body),) = recipient.received
    assert (path, kind, cmp.Reply(body).kind) == ("/.well-known/cmp", "application/pkixcmp", CRLANN)
    recipient.status = 500
    done = quickly("cmp", "announce", "crlann", "devices", "--config", config)
    assert (done.returncode, "HTTP 500" in done.stderr) == (1, True)
    done = quickly("cmp", "announce", "cann", "devices", "--config", config)
    assert done.returncode == 2
    done = quickly("cmp", "announce", "rann", "devices", "--serial", "47", "--config", config)
    assert (done.returncode, "no certificate" in done.stderr) == (1, True)


def test_nobody_gets_an_announcement_from_a_profile_that_names_nobody(tmp_path):
    config = tmp_path / "privca.toml"
    config.write_text(CONFIG.format(port=1).replace("announce_to", "check_after = 5 #"))
    text = config.read_text().replace('cmp = { check_after = 5 # = ["http://127.0.0.1:1/.well-known/cmp"] }', "")
    config.write_text(text)
    assert quickly("ca", "rollover", "root", "--config", config).returncode == 0
    assert quickly("profile", "apply", config, "--config", config).returncode == 0
    done = quickly("cmp", "announce", "crlann", "devices", "--config", config)
    assert (done.returncode, "names no recipients" in done.stderr) == (1, True)
