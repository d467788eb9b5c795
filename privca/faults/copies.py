"""A second copy of a protocol's modules, with some steps changed.

The modules are imported anew from their source while the first copies are set aside, so that everything in the copy finds its own
neighbours by ordinary imports. What both copies hand to the store and to the layers below (ports, formats, policy) is shared: a record is
the same type to everybody. The two steps that make a certificate are copied, too: what is issued is shared between the protocols, and a
copy that is made for one profile can issue in its own way.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from privca.faults.edits import Edit, EditError

COPIED = ("acme", "est", "scep", "cmp", "status", "jose", "services", "issuance.issue", "issuance.signing")
"""Packages and modules below ``privca`` of which a copy has its own; of a protocol's, only what it imports."""
STATUS = "privca.services.status"
MADE = frozenset(
    {
        "privca.pkix.rfc6960",
        "privca.pkix.rfc5280.crl",
        "privca.issuance.crl_scope",
        "privca.issuance.publication",
        "privca.issuance.revocation_lists",
    }
)
"""What a copy of the status services has beside them: there, CRLs and OCSP responses are put together. Others share these modules."""
SHARED = frozenset({"privca.acme.ports", "privca.est.ports", "privca.scep.ports", "privca.cmp.ports"})


def copy(module: str, edits: Sequence[Edit]) -> ModuleType:
    """The module of this name (``privca.services.acme``) in a new copy, with ``edits`` made.

    :raises EditError: if an edit does not fit, or concerns a module that the copy does not have.
    """

    def copied(name: str) -> bool:
        return _copied(name) or (module == STATUS and name in MADE)

    finder = _Finder(edits, copied)
    aside = {name: sys.modules.pop(name) for name in list(sys.modules) if copied(name)}
    # An import makes a module an attribute of its package as well, where ``from PACKAGE import MODULE`` looks first.
    packages = {full: sys.modules.get(full.rpartition(".")[0]) for full in aside}
    for full, package in packages.items():
        if package is not None:
            delattr(package, full.rpartition(".")[2])
    sys.meta_path.insert(0, finder)
    try:
        made = importlib.import_module(module)
        lost = [edit.function for edit in edits if edit.module not in finder.edited]
        if lost:
            raise EditError(f"{module} does not use what {', '.join(lost)} is in")
        return made
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if copied(name)]:
            del sys.modules[name]
        sys.modules.update(aside)
        for full, package in packages.items():
            if package is not None:
                setattr(package, full.rpartition(".")[2], aside[full])


def _copied(name: str) -> bool:
    below = name.removeprefix("privca.")
    return below != name and name not in SHARED and any(below == one or below.startswith(f"{one}.") for one in COPIED)


class _Finder(MetaPathFinder):
    """Finds the modules of a copy where the first copy came from, and has them changed as they are loaded."""

    def __init__(self, edits: Sequence[Edit], copied: Callable[[str], bool]) -> None:
        self._edits = edits
        self._copied = copied
        self.edited: set[str] = set()

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module's own specification with our loader; None for what is not copied."""
        if not self._copied(fullname):
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            edits = [edit for edit in self._edits if edit.module == fullname]
            if edits:
                self.edited.add(fullname)
                spec.loader = _Loader(fullname, spec.loader.path, edits)
        return spec


class _Loader(SourceFileLoader):
    """Compiles a module with its edits; bytecode is neither read nor written."""

    def __init__(self, fullname: str, path: str, edits: Sequence[Edit]) -> None:
        super().__init__(fullname, path)
        self._edits = edits

    def path_stats(self, path: str) -> Any:
        """No stats, no cache."""
        raise OSError("edited modules are not cached")

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:  # type: ignore[override]
        """The code of the source with every edit made."""
        tree = ast.parse(data, path)
        for edit in self._edits:
            _edit(tree, edit)
        code: CodeType = compile(ast.fix_missing_locations(tree), path, "exec", optimize=_optimize)
        return code


def _edit(tree: ast.Module, edit: Edit) -> None:
    place: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef = tree
    within: ast.Module | ast.ClassDef = tree
    for name in edit.path:
        assert isinstance(place, ast.Module | ast.ClassDef)
        within = place
        found = [
            node
            for node in place.body
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        ]
        if len(found) != 1:
            raise EditError(f"{edit.function}: there is no {name}")
        place = found[0]
    assert isinstance(place, ast.FunctionDef | ast.AsyncFunctionDef)
    alone = ast.Module(body=[place], type_ignores=[])
    edit.change(alone)
    # Another edit of the same function may come, and looks at its source.
    ast.fix_missing_locations(alone)
    at = within.body.index(place)
    within.body[at : at + 1] = alone.body
