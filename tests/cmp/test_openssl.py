"""``openssl cmp`` against the server over a socket: what must succeed, and what must fail with an error that the client accepts."""

import shutil
import subprocess

import pytest

from tests.support.running import lab as running_lab

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
KEYS = {
    "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ed25519": ["-algorithm", "Ed25519"],
    "ed448": ["-algorithm", "Ed448"],
}
SUBJECT = "-subject /CN=device.example.test"
IR = f"-cmd ir PBM -newkey p256.key {SUBJECT} -certout new.pem"

SUCCEEDS = {
    "ir": IR,
    "ir with SHA-512 and HMAC-SHA-256": f"{IR} -mac hmacWithSHA256 -digest sha512",
    "ir with HMAC-SHA-512": f"{IR} -mac hmacWithSHA512",
    "ir implicit": f"{IR} -implicit_confirm",
    "ir never confirmed": f"{IR} -disable_confirm",
    "ir signed": f"-cmd ir SIG -newkey p384.key {SUBJECT} -certout new.pem",
    "ir with names": f"{IR} -sans a.example.test,127.0.0.1",
    "ir for a hundred years": f"{IR} -days 36500",
    "ir with a critical policy": f"{IR} -policy_oids 1.2.3.4 -policy_oids_critical",
    "ir without subject": "-cmd ir PBM -newkey p256.key -subject / -sans a.example.test -certout new.pem",
    "ir with unknown information": f"{IR} -geninfo 1.2.3:int:987",
    "ir P-384": f"-cmd ir PBM -newkey p384.key {SUBJECT} -certout new.pem",
    "ir RSA": f"-cmd ir PBM -newkey rsa.key {SUBJECT} -certout new.pem",
    "ir Ed25519": f"-cmd ir PBM -newkey ed25519.key {SUBJECT} -certout new.pem",
    "ir Ed448": f"-cmd ir PBM -newkey ed448.key {SUBJECT} -certout new.pem",
    "ir with an encrypted certificate": f"-cmd ir PBM -newkey rsa.key {SUBJECT} -certout new.pem -popo 2",
    "ir and closed connections": f"{IR} -keep_alive 0",
    "ir and kept connections": f"{IR} -keep_alive 2",
    "cr": f"-cmd cr SIG -newkey p256.key {SUBJECT} -certout new.pem",
    "kur": "-cmd kur SIG -newkey p384.key -certout new.pem",
    "kur of a named certificate": "-cmd kur SIG -oldcert own.pem -newkey p384.key -certout new.pem",
    "p10cr signed": "-cmd p10cr SIG -csr own.csr -certout new.pem",
    "p10cr": "-cmd p10cr PBM -csr own.csr -certout new.pem",
    "genm": "-cmd genm SIG",
    "genm signKeyPairTypes": "-cmd genm SIG -infotype signKeyPairTypes",
    "genm caCerts": "-cmd genm PBM -infotype caCerts",
    "genm certReqTemplate": "-cmd genm PBM -infotype certReqTemplate",
    "rr hold": "-cmd rr PBM -oldcert held.pem -revreason 6",
    "rr release": "-cmd rr PBM -oldcert held.pem -revreason 8",
    "rr": "-cmd rr PBM -oldcert held.pem -revreason 1",
}
# What the client must have understood of the refusal.
FAILS = {
    "wrong secret": (f"{IR} -secret pass:wrong", "badMessageCheck"),
    "unknown reference": (f"{IR} -ref nobody", "badMessageCheck"),
    "no protection": (f"{IR} -unprotected_requests", "badMessageCheck"),
    "raVerified": (f"-cmd ir SIG -newkey p256.key {SUBJECT} -certout new.pem -popo 0", "badPOP"),
    "rr twice": ("-cmd rr PBM -oldcert held.pem -revreason 1", "certRevoked"),
    "kur of a revoked certificate": ("-cmd kur SIG -oldcert held.pem -newkey p384.key -certout new.pem", "badCertId"),
}


@pytest.fixture(scope="module")
def openssl(tmp_path_factory):
    directory = tmp_path_factory.mktemp("openssl")
    with running_lab(directory / "lab") as running:
        profile = running.profile("lab-cmp")
        secret = ["-ref", profile["reference"], "-secret", f"pass:{profile['code']}"]

        def call(line):
            words = []
            for word in line.split():
                words += secret if word == "PBM" else ["-cert", "own.pem", "-key", "p256.key"] if word == "SIG" else [word]
            command = ["openssl", "cmp", "-server", profile["url"], "-no_proxy", "127.0.0.1", "-batch", "-verbosity", "4"]
            command += ["-trusted", str(running.directory / "ca.pem"), *words]
            return subprocess.run(command, capture_output=True, text=True, cwd=directory, timeout=60, check=False)

        for name, options in KEYS.items():
            subprocess.run(
                ["openssl", "genpkey", *options, "-out", f"{name}.key"], cwd=directory, check=True, capture_output=True
            )
        request = ["openssl", "req", "-new", "-key", "p256.key", "-subj", "/CN=device.example.test", "-out", "own.csr"]
        subprocess.run(request, cwd=directory, check=True, capture_output=True)
        for name, key in (("own", "p256"), ("held", "rsa")):
            done = call(f"-cmd ir PBM -newkey {key}.key {SUBJECT} -certout {name}.pem")
            assert done.returncode == 0, done.stdout + done.stderr
        yield call


def test_every_line_has_the_outcome_that_it_must_have(openssl):
    wrong = []
    for name, line in SUCCEEDS.items():
        done = openssl(line)
        if done.returncode != 0:
            wrong.append(f"{name}: {(done.stdout + done.stderr)[-600:]}")
    for name, (line, failure) in FAILS.items():
        done = openssl(line)
        if done.returncode == 0 or f"PKIFailureInfo: {failure}" not in done.stdout + done.stderr:
            wrong.append(f"{name}: {(done.stdout + done.stderr)[-600:]}")
    assert not wrong, "\n\n".join(wrong)
