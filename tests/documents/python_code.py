"""Python blocks of the documents: run, and compared with the values their comments state."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import tokenize
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")


def run(text: str, names: dict[str, Any], place: str) -> str:
    """Run a block among the ``names`` of its page and return what it prints.

    An expression followed by a comment that is a literal, as in ``f(2)  # 4``, must have that
    value: a number to the digits that are shown, numbers in a list to 0.1 %.
    """
    comments = _comments(text)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for statement in ast.parse(text, place).body:
            if not isinstance(statement, ast.Expr):
                exec(compile(ast.Module([statement], []), place, "exec"), names)
                continue
            value = eval(compile(ast.Expression(statement.value), place, "eval"), names)
            comment = comments.get(statement.end_lineno or 0, "")
            if _literal(comment) is not None:
                _compare(value, comment, f"{place}: {ast.unparse(statement)} gives {value!r}")
    return printed.getvalue()


def _comments(text: str) -> dict[int, str]:
    """The comment at the end of each line that has one."""
    words = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        word.start[0]: word.string.lstrip("# ") for word in words if word.type == tokenize.COMMENT
    }


def _literal(comment: str) -> Any:
    """The comment as a Python literal, or None where it is none."""
    try:
        return ast.literal_eval(_THOUSANDS.sub("", comment))
    except (ValueError, SyntaxError):
        return None


def _compare(value: Any, comment: str, what: str) -> None:
    found = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    stated = _literal(comment)
    if isinstance(stated, float):
        digits = Decimal(_THOUSANDS.sub("", comment)).as_tuple().exponent
        assert abs(found - stated) <= 0.51 * 10.0 ** int(digits), what
        return
    parts = stated if isinstance(stated, list | tuple) else [stated]
    numeric = all(isinstance(part, int | float) for part in parts)
    assert found == (pytest.approx(stated, rel=1e-3) if numeric else stated), what
