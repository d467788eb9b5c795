"""A driver in JavaScript keeps to the driver protocol, with a module in place of the client's."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import interop

DRIVER = Path(interop.__file__).parent / "clients" / "npm_acme_client" / "driver.js"
MODULE = """
exports.crypto = { createPrivateEcdsaKey: async () => 'KEY' };
exports.Client = class {
    constructor(options) { this.options = options; }
    async createAccount() {
        if (this.options.directoryUrl === 'slow') await new Promise((resolve) => setTimeout(resolve, 60000));
        if (this.options.directoryUrl === 'no') throw new Error(`refused ${this.options.externalAccountBinding.hmacKey}`);
    }
    getAccountUrl() { return 'https://ca.test/1'; }
};
"""
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not on PATH")


def drive(folder: Path, **more: object) -> tuple[int, dict]:
    module = folder / "modules" / "acme-client" / "index.js"
    module.parent.mkdir(parents=True)
    module.write_text(MODULE)
    job = {"actions": ["register"], "url": "yes", "patience": 20, "credential": None, "names": ["a.test"], **more}
    (folder / "job.json").write_text(json.dumps(job))
    environment = {"PATH": f"{Path(shutil.which('node') or '').parent}:/usr/bin:/bin", "NODE_PATH": str(folder / "modules")}
    argv = ["node", str(DRIVER), str(folder / "job.json")]
    done = subprocess.run(argv, env=environment, capture_output=True, timeout=60, check=False)
    assert not done.stderr
    return done.returncode, json.loads((folder / "result.json").read_text())


def test_done(tmp_path: Path):
    status, result = drive(tmp_path)
    assert status == 0
    assert (tmp_path / result["artefacts"]["account.url"]).read_text() == "https://ca.test/1"
    assert [(step["command"], step["exit"]) for step in result["steps"]] == [("createAccount", 0)]


def test_an_action_that_it_lacks(tmp_path: Path):
    status, result = drive(tmp_path, actions=["register", "fly"])
    assert (status, result["steps"]) == (77, [])


def test_failed_and_its_secret_is_told_nobody(tmp_path: Path):
    secret = "hunter2hunter2"
    status, result = drive(tmp_path, url="no", credential={"kid": "k", "hmac_key": secret, "secrets": [secret]})
    assert (status, result["detail"]) == (1, "refused [redacted]")
    assert secret not in (tmp_path / "log.txt").read_text()


def test_impatience(tmp_path: Path):
    status, result = drive(tmp_path, url="slow", patience=0.2)
    assert (status, result["detail"]) == (1, "not done in 0.2 s")
