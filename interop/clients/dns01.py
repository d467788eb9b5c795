"""Put a dns-01 answer into the server's resolver: the hook that clients call, whatever their way of calling.

``python3 dns01.py set|clear API NAME VALUE``; the API speaks the calls of pebble-challtestsrv.
Where NAME and VALUE are missing they come from certbot's variables.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request


def change(action: str, api: str, name: str, value: str) -> None:
    """Set or clear the TXT records of ``name``."""
    body = {"host": name.rstrip(".") + "."}
    if action == "set":
        body["value"] = value
    request = urllib.request.Request(f"{api}/{action}-txt", json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - the lab's own listener
        pass


def main(argv: list[str]) -> None:
    """See the module."""
    action, api, *rest = argv
    if rest:
        name, value = rest
    else:
        name, value = "_acme-challenge." + os.environ["CERTBOT_DOMAIN"], os.environ["CERTBOT_VALIDATION"]
    change(action, api, name, value)


if __name__ == "__main__":
    main(sys.argv[1:])
