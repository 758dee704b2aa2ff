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


def on_page_content(content: str, **_: Any) -> str:
    """The page's HTML with every marked equation as MathML; an unreadable one fails the build."""
    inline = _INLINE.sub(lambda found: _mathml(found[1], "inline"), content)
    return _BLOCK.sub(
        lambda found: f'<div class="equation">{_mathml(found[1], "block")}</div>', inline
    )


def _mathml(latex: str, display: str) -> str:
    return convert(html.unescape(latex).strip(), display=display)
