"""certmonger: a service that tracks certificates, on a session bus of its own; getcert tells it what to do and what became of it."""

from __future__ import annotations

import shlex
from pathlib import Path

from interop.clients.driving import ClientFailedError, Driver, main
from interop.clients.scep import ca_certificates

# certmonger works in the background, started by the bus: this asks getcert until the request has come to rest. One that cannot be
# reached is tried again minutes later, which nobody waits for; nor for the next look at one that a person decides about.
SCRIPT = """
{commands}
for turn in $(seq 80); do
    getcert list -s -i lab >"$HOME/state.txt" 2>&1
    case $(sed -n 's/^\tstatus: //p' "$HOME/state.txt") in
        MONITORING|CA_REJECTED|NEED_GUIDANCE|NEED_CA|CA_UNCONFIGURED|NEED_CSR_GEN_PIN) [ $turn -ge {least} ] && break ;;
        CA_UNREACHABLE) [ $turn -ge 20 ] && break ;;
    esac
    sleep 0.5
done
cat "$HOME/state.txt"
grep -e ca-error -e status: "$HOME/state.txt"
grep -q 'status: MONITORING' "$HOME/state.txt"
"""


class Certmonger(Driver):
    """certmonger, as a user calls it."""

    def call(self, *commands: list[str], least: int = 1) -> None:
        """Run the service, give it commands, and wait until the request has come to rest."""
        lines = "\n".join(f"{shlex.join(command)} || exit 1" for command in commands)
        script = SCRIPT.format(commands=lines, least=least)
        path = self.home / "certmonger.sh"
        path.write_text(script)
        path.chmod(0o600)
        self.run(["dbus-run-session", "--", "bash", str(path)], HOME=str(self.home))

    def chain(self) -> Path:
        """What the service needs to know of the CA."""
        chain = self.home / "chain.pem"
        return chain if chain.is_file() else ca_certificates(self.job["url"], chain)

    def collect(self, label: str) -> None:
        """Keep what it left."""
        certificate = self.home / "client.pem"
        if not certificate.is_file():
            raise ClientFailedError("it left no certificate")
        self.keep(f"{label}.certificate", certificate)
        self.keep(f"{label}.key", self.home / "client.key.pem")
        self.keep(f"{label}.chain", self.chain())

    def do_issue(self) -> None:
        """Tell it of the CA, and ask for a certificate."""
        name = self.job["names"][0]
        ca = ["getcert", "add-scep-ca", "-s", "-c", "lab-ca", "-u", self.job["url"], "-R", str(self.chain())]
        files = ["-k", str(self.home / "client.key.pem"), "-f", str(self.home / "client.pem")]
        subject = ["-N", f"CN={name}", "-D", name, "-L", self.job["credential"]["code"]]
        self.call(ca, ["getcert", "request", "-s", "-c", "lab-ca", "-I", "lab", "-G", "rsa", "-g", "2048", *files, *subject])
        self.collect("issue")

    def do_renew(self) -> None:
        """Ask for the certificate again."""
        self.call(["getcert", "resubmit", "-s", "-i", "lab"], least=6)
        self.collect("renew")


if __name__ == "__main__":
    main(Certmonger)
