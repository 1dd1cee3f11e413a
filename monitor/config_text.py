"""Writes the reference `configs/becalm.toml` from the structs.

python -m monitor.config_text > configs/becalm.toml
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import sys
import textwrap
from typing import Any

import msgspec

from monitor.config import sections

HEADER = """\
# Every setting of Becalm with its default. Copy what you change into a file of your own and start with
# `becalm serve --config FILE`; one setting goes on the command line, `--set policy.enter_at=0.7`,
# or into the environment: `BECALM_POLICY__ENTER_AT=0.7`.
# `becalm check-config FILE` names every mistake. Names end in their unit: `_s` is seconds.
# Written from the code by `python -m monitor.config_text`; a test keeps the two the same.
"""


def render() -> str:
    """The text of the file: sections and settings in the order of the structs, each under its docstring."""
    parts = [HEADER]
    for section, struct in sections().items():
        about, notes = docs(struct)
        lines = [*_comment(about), f"[{section}]"]
        defaults = struct()
        for field in msgspec.structs.fields(struct):
            lines += _comment(notes.get(field.name, ""))
            lines.append(f"{field.encode_name} = {_value(getattr(defaults, field.name))}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def docs(struct: type[msgspec.Struct]) -> tuple[str, dict[str, str]]:
    """A struct's own docstring and the text that stands under each of its fields in the source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(struct))).body[0]
    assert isinstance(tree, ast.ClassDef)
    notes: dict[str, str] = {}
    for field, note in itertools.pairwise(tree.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match note:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    notes[field.target.id] = inspect.cleandoc(text)
    return ast.get_docstring(tree) or "", notes


def _comment(text: str) -> list[str]:
    return ["# " + line for line in textwrap.wrap(" ".join(text.split()), 108)] if text else []


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | frozenset | list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(render())
