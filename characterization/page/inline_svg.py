"""A stand-alone SVG as a part of an HTML page."""

from __future__ import annotations

import html
import re


def inline(text: str, name: str, alternative: str) -> str:
    """Strip what a page does not need and make the drawing's names unique.

    ``name`` keeps the element names of several drawings on a page apart; ``alternative`` is what
    a screen reader says. Raises ValueError for a text without an svg element with a viewBox.
    """
    opening = re.search(r'<svg\b[^>]*?viewBox="([^"]+)"[^>]*>', text)
    if opening is None:
        raise ValueError(f"{name}: expected the text of an SVG with a viewBox")
    box, text = opening.group(1), text[opening.end() :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", text)
    text = text.replace("xlink:href=", "href=")
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    label = html.escape(alternative, quote=True)
    return f'<svg viewBox="{box}" role="img" aria-label="{label}">{text.rstrip()}'
