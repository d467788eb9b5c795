"""The layer rules of the architecture, held by reading the imports of every module: they point down only.

A rule is a row of a table below; ``test_a_forbidden_import_is_found`` shows for each kind of rule that breaking it is noticed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Lowest first. A module may import its own package and any layer below; packages of one layer are siblings and never import each other.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("base",),
    ("pkix", "jose"),
    ("issuance",),
    ("enrollment",),
    ("acme", "est", "scep", "cmp", "status"),
    ("faults",),
    ("web", "store", "keys"),
    ("config",),
    ("sockets", "workers", "profiles", "logs", "composition"),
    ("server_certificate", "services"),
    ("server", "replay"),
    ("cli",),
    ("__main__",),
)
LEVEL = {package: level for level, packages in enumerate(LAYERS) for package in packages}

# What only one place may import: prefix of the imported module -> prefixes of the modules that may.
RESERVED: dict[str, tuple[str, ...]] = {
    "twisted": ("privca.web", "privca.server"),
    "OpenSSL": ("privca.web", "privca.server"),
    "sqlalchemy": ("privca.store",),
    "alembic": ("privca.store",),
    "sqlite3": ("privca.store",),
    "cryptography.hazmat.asn1": ("privca.pkix.der",),
    "pyasn1": ("privca.pkix",),
    "pyasn1_modules": ("privca.pkix",),
    "jinja2": ("privca.web", "privca.cli"),
    "click": ("privca.cli",),
    "rich": ("privca.cli",),
}

# The ground is free of third-party code but for the tables that a standard publishes: IDNA 2008 (RFC 5892).
# msgspec: structs are the records that every layer hands over. idna: what an A-label is.
GROUND = sys.stdlib_module_names | {"privca", "idna", "msgspec"}

# Beside the server, with no import either way; the kits share the vectors.
APART: dict[str, tuple[str, ...]] = {
    "privca": ("conformance", "interop", "vectors", "tests"),
    "conformance": ("privca", "interop", "tests"),
    "interop": ("privca", "conformance", "tests"),
    "vectors": ("privca", "conformance", "interop", "tests"),
}


def under(module: str, prefix: str) -> bool:
    """Whether ``module`` is ``prefix`` or inside it."""
    return module == prefix or module.startswith(prefix + ".")


def imports(source: str, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Every module that ``source`` imports, anywhere in it, as (line, absolute name); ``from a import b`` gives ``a.b``, since b may be a module."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{origin}.{alias.name}"


def broken_rules(source: str, module: str, is_package: bool = False) -> list[str]:
    """What ``source``, as the module of that name, imports against the rules."""
    found = []
    top = module.split(".")[0]
    for line, target in imports(source, module, is_package):
        here = f"{module}:{line} imports {target}"
        found += [f"{here}: {apart} stands apart from {top}" for apart in APART[top] if under(target, apart)]
        if top != "privca":
            continue
        found += [
            f"{here}: only {' and '.join(owners)} may"
            for prefix, owners in RESERVED.items()
            if under(target, prefix) and not any(under(module, owner) for owner in owners)
        ]
        if under(module, "privca.base") and target.split(".")[0] not in GROUND:
            found.append(f"{here}: base holds no third-party code but msgspec and idna")
        if under(target, "privca") and module != "privca":
            mine, theirs = module.split(".")[1], [*target.split("."), ""][1]
            if mine in LEVEL and theirs in LEVEL and mine != theirs and LEVEL[theirs] >= LEVEL[mine]:
                found.append(f"{here}: {theirs} is not below {mine}")
    return found


def modules() -> list[tuple[str, Path]]:
    """Every module of the four packages, by dotted name."""
    found = []
    for top in APART:
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


def test_imports_point_down_only() -> None:
    found = [
        rule
        for name, path in modules()
        for rule in broken_rules(path.read_text("utf-8"), name, is_package=path.name == "__init__.py")
    ]
    assert not found, "\n".join(found)


def test_every_module_has_a_layer() -> None:
    unknown = {name for name, _ in modules() if name.startswith("privca.") and name.split(".")[1] not in LEVEL}
    assert not unknown, f"add these to LAYERS: {sorted(unknown)}"


def test_there_is_something_to_hold() -> None:
    assert len([name for name, _ in modules() if name.startswith("privca.")]) > 20


@pytest.mark.parametrize(
    ("module", "source"),
    [
        pytest.param("privca.base.names", "from privca.pkix import der", id="up"),
        pytest.param("privca.issuance.issue", "import privca.enrollment.door", id="up, plain import"),
        pytest.param("privca.issuance.issue", "from ..acme import ports", id="up, relative"),
        pytest.param("privca.issuance.issue", "from privca import enrollment", id="up, by the top package"),
        pytest.param("privca.issuance.issue", "def f():\n    from privca.store.store import Store", id="up, inside a function"),
        pytest.param("privca.issuance.issue", "if TYPE_CHECKING:\n    from privca.web import tls", id="up, for a type"),
        pytest.param("privca.pkix.rfc5280", "from privca.jose import rfc7515", id="siblings: formats"),
        pytest.param("privca.acme.service", "from privca.est import rfc7030", id="siblings: protocols"),
        pytest.param("privca.store.store", "from privca.keys.secrets import SecretBox", id="siblings: adapters"),
        pytest.param("privca.server", "from privca.cli import main", id="the root knows no command"),
        pytest.param("privca.acme.service", "from twisted.internet import defer", id="twisted outside web"),
        pytest.param("privca.enrollment.service", "import sqlalchemy as sa", id="SQL outside store"),
        pytest.param("privca.pkix.rfc2986", "from cryptography.hazmat import asn1", id="the DER codec outside its seam"),
        pytest.param("privca.pkix.rfc2986", "from cryptography.hazmat.asn1 import decode_der", id="the DER codec, deeper"),
        pytest.param("privca.base.http", "import cryptography", id="third-party code on the ground"),
        pytest.param("privca.web.urls", "import interop", id="the server knows a kit"),
        pytest.param("conformance.cases", "from privca.base import names", id="a kit knows the server"),
        pytest.param("interop.run", "from conformance import transport", id="a kit knows the other"),
        pytest.param("vectors", "import privca", id="the vectors know the server"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str) -> None:
    assert len(broken_rules(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("privca.pkix.der", "from cryptography.hazmat import asn1"),
        ("privca.web.prober", "from twisted.internet import defer\nfrom privca.acme.ports import Probe"),
        ("privca.acme.service", "from privca.enrollment.door import Door\nfrom .ports import Account"),
        ("privca.base.names", "import enum\nfrom privca.base.refused import Refused"),
        ("privca.base.names", '"""from privca.web import tls"""'),
        ("conformance.cases", "import vectors"),
    ],
)
def test_an_allowed_import_is_not(module: str, source: str) -> None:
    assert broken_rules(source, module) == []
