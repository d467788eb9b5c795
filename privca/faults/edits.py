"""What a fault changes: steps of the honest source, found by what they say, so that an edit which no longer fits is noticed at once.

An edit names a function as ``acme.rfc8555.nonce:Nonces.spend`` (below ``privca``) and changes its syntax tree, never its text on disk.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass


class EditError(Exception):
    """An edit does not fit the source: the step that it changes is not there, or is there more than once."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one function. ``change`` gets its definition as a module of one statement. :raises EditError: if it does not fit."""

    function: str
    change: Callable[[ast.Module], None]

    @property
    def module(self) -> str:
        """The module that the function is in."""
        return f"privca.{self.function.partition(':')[0]}"

    @property
    def path(self) -> list[str]:
        """Names of the classes and the function, from the outside."""
        return self.function.partition(":")[2].split(".")


def unchecked(function: str, said: str) -> Edit:
    """Leave out the one check (an ``if``) of a function that refuses with this text."""

    def says(node: ast.AST) -> bool:
        return any(isinstance(n, ast.Constant) and isinstance(n.value, str) and said in n.value for n in ast.walk(node))

    def change(tree: ast.Module) -> None:
        found = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.If)
            and any(isinstance(inside, ast.Raise | ast.Return) for inside in node.body)
            and any(map(says, node.body))
        ]
        if len(found) != 1:
            raise EditError(f"{len(found)} checks of {function} say {said!r}")
        found[0].test = ast.Constant(value=False)

    return Edit(function, change)


def instead(function: str, old: str, new: str) -> Edit:
    """Put one piece of a function's source, as ``ast.unparse`` writes it, in the place of another."""

    def change(tree: ast.Module) -> None:
        text = ast.unparse(tree)
        if text.count(old) != 1:
            raise EditError(f"{old!r} is {text.count(old)} times in {function}")
        tree.body = ast.parse(text.replace(old, new)).body

    return Edit(function, change)


def ending(function: str, statement: str) -> Edit:
    """Run a statement in front of each ``return`` of a function, with what it returns as ``result``; the statement may change it."""

    class Returns(ast.NodeTransformer):
        def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
            kept = ast.Assign([ast.Name("result", ast.Store())], node.value or ast.Constant(value=None))
            return [kept, *ast.parse(statement).body, ast.Return(ast.Name("result", ast.Load()))]

    def change(tree: ast.Module) -> None:
        if not any(isinstance(node, ast.Return) for node in ast.walk(tree)):
            raise EditError(f"{function} returns nothing")
        tree.body = [Returns().visit(statement) for statement in tree.body]

    return Edit(function, change)


def replying(function: str, old: str, new: str) -> Edit:
    """Put ``new`` in the place of ``old`` in the body of the reply that a function returns."""
    changed = f"result.body.replace({old.encode()!r}, {new.encode()!r})"
    return ending(function, f"result = type(result)(result.status, result.headers, {changed})")
