"""Security checks taken out one by one: for tests that show that a trap notices each that is missing.

A check is taken out of the function's own source, compiled anew: the ``if`` that refuses with a certain text never holds, or one expression
gives way to another. The trap is the very test that holds the check in ordinary runs.
"""

import __future__

import ast
import inspect
import pkgutil
from pathlib import Path

import pytest

from privca.faults import edits
from privca.faults.edits import unchecked

# An exception of the server's own is a notice too: in process nothing hides what would be status 500. That pytest.raises saw nothing
# is no Exception.
NOTICED = (Exception, pytest.fail.Exception)


def refusing(function, said):
    """Take out the one ``if`` of a function (``module:name`` below privca) whose body refuses with this text."""
    return function, unchecked(function, said).change


def instead(function, old, new):
    """Put one piece of a function's source in the place of another."""
    return function, edits.instead(function, old, new).change


def definition_of(function):
    """A function's definition in its module's source, found by its name."""
    found = ast.parse(Path(inspect.getfile(function)).read_text())
    for name in function.__qualname__.split("."):
        found = next(node for node in found.body if getattr(node, "name", None) == name)
    return found


class _Emptied:
    """Empties a cache each time that an attribute is set: when monkeypatch changes it, and when it takes the change back."""

    def __init__(self, empty):
        self.__dict__.update(empty=empty, taken_out=False)

    def __setattr__(self, name, value):
        self.__dict__[name] = value
        self.empty()


def take_out(monkeypatch, removed):
    """Give the functions other code until the test ends; whoever imported them calls the same objects."""
    for name in {name for name, _ in removed}:
        function = pkgutil.resolve_name(f"privca.{name}")
        if hasattr(function, "cache_clear"):
            # Taken back last, when the code is what it was: no answer that was given without the check outlives the test.
            monkeypatch.setattr(_Emptied(function.cache_clear), "taken_out", True)
        function = inspect.unwrap(function)
        definition = definition_of(function)
        tree = ast.Module(body=[definition], type_ignores=[])
        # Decorators and defaults belong to the function object, which stays.
        definition.decorator_list = []
        definition.args.defaults = [ast.Constant(value=None) for _ in definition.args.defaults]
        definition.args.kw_defaults = [d and ast.Constant(value=None) for d in definition.args.kw_defaults]
        for changed, change in removed:
            if changed == name:
                change(tree)
        ast.fix_missing_locations(tree)
        space = {}
        code = compile(tree, function.__code__.co_filename, "exec", flags=__future__.annotations.compiler_flag)
        exec(code, {}, space)
        (made,) = space.values()
        assert made.__code__.co_freevars == function.__code__.co_freevars, "a closure cannot be made anew"
        monkeypatch.setattr(function, "__code__", made.__code__)
