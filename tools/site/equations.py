"""Hook of MkDocs: equations become MathML while the site is built, so that no page needs a script.

`pymdownx.arithmatex` marks the equations; latex2mathml translates them; browsers draw MathML.
"""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

_INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
_BLOCK = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)

# Two things that latex2mathml leaves out: an upright single letter, and the space after a function
# whose argument has no bracket.
_ROMAN = re.compile(r"\\mathrm\{(\w+)\}")
_FUNCTION = re.compile(r"(<mi>(?:ln|exp|sinh|tanh)</mi>)(?!<mo[^>]*>&#x00028;)")


def on_page_content(content: str, **_: Any) -> str:
    """The page's HTML with every marked equation as MathML; an unreadable one fails the build."""
    inline = _INLINE.sub(lambda found: _mathml(found[1], "inline"), content)
    return _BLOCK.sub(
        lambda found: f'<div class="equation">{_mathml(found[1], "block")}</div>', inline
    )


def _mathml(latex: str, display: str) -> str:
    upright = _ROMAN.sub(r"\\text{\1}", html.unescape(latex).strip())
    return _FUNCTION.sub(r'\1<mspace width="0.17em"/>', convert(upright, display=display))
