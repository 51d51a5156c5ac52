"""Callouts and tabs, which are complete without a script."""

from __future__ import annotations

import html

import panflute as pf

__all__ = ["CALLOUTS", "callout", "raw", "tabset"]

CALLOUTS = {
    "callout-note": "Note",
    "callout-tip": "Tip",
    "callout-important": "Important",
    "callout-warning": "Warning",
    "callout-caution": "Caution",
}


def raw(text: str) -> pf.RawBlock:
    """A piece of HTML as a block."""
    return pf.RawBlock(text, format="html")


def callout(div: pf.Div, word: str, kind: str) -> list[pf.Block]:
    """A note beside the text, with its title; ``collapse`` folds it."""
    content = list(div.content)
    title = div.attributes.get("title", "")
    if not title and content and isinstance(content[0], pf.Header):
        title = pf.stringify(content.pop(0))
    name = html.escape(title or word)
    if "collapse" in div.attributes:
        opened = " open" if div.attributes["collapse"] == "false" else ""
        start, end = f'<details class="callout {kind}"{opened}><summary>{name}</summary>', "</details>"
    else:
        start, end = f'<div class="callout {kind}" role="note"><p class="callout-title">{name}</p>', "</div>"
    return [raw(start), *content, raw(end)]


def tabset(div: pf.Div) -> list[pf.Block]:
    """Sections one below the other, each with its heading; the script makes tabs of them."""
    blocks = [raw('<div class="tabset">')]
    opened = False
    for block in div.content:
        if isinstance(block, pf.Header):
            if opened:
                blocks.append(raw("</div>"))
            opened, identifier = True, html.escape(block.identifier)
            blocks.append(raw(f'<div class="tab" id="{identifier}"><p class="tab-name">'))
            blocks += [pf.Plain(*block.content), raw("</p>")]
        else:
            blocks.append(block)
    return [*blocks, *([raw("</div>")] if opened else []), raw("</div>")]
