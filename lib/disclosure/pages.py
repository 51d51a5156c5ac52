"""Fragments of an HTML or SVG document: words, attributes, comments, scripts and tables."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from lib.disclosure import readers
from lib.disclosure.grids import unique_names
from lib.disclosure.readers import Fragment

WORTH_OPENING = 40
APART = "\n.\n"  # between the words of two elements, so that no sentence runs from one into the next
GEOMETRY = frozenset(
    {
        "d",
        "points",
        "transform",
        "viewbox",
        "class",
        "style",
        "href",
        "x",
        "y",
        "width",
        "height",
        "fill",
        "id",
    }
)
INLINE = frozenset(
    {"a", "abbr", "b", "code", "data", "em", "i", "mark", "q", "small", "span", "strong", "sub", "sup", "u"}
)
PROGRAMS = ("", "text/javascript", "module", "application/javascript")


def page_fragments(file: str, place: str, text: str, *, depth: int = 0) -> Iterator[Fragment]:
    """Fragments of a document, scripts and tables included; whatever is packed in them is opened."""
    from lxml import etree, html

    try:
        tree = html.document_fromstring(text) if text.strip() else None
    except (etree.ParserError, ValueError):
        tree = (
            html.fromstring(f"<div>{text.encode('utf-8', 'replace').decode()}</div>")
            if text.strip()
            else None
        )
    if tree is None:
        return
    said: dict[str, list[str]] = {}
    for element in tree.iter():
        if element.tag is etree.Comment or element.tag is etree.ProcessingInstruction:
            said.setdefault(f"{place} comment".strip(), []).append(element.text or "")
            yield from _packed_in(file, f"{place} comment".strip(), element.text or "", depth)
            continue
        where = f"{place} <{element.tag}>".strip()
        for name, value in element.attrib.items():
            if name.lower() in GEOMETRY and len(value) < WORTH_OPENING:
                continue
            said.setdefault(f"{where} {name}", []).append(value)
            yield from _packed_in(file, f"{where} {name}", value, depth)
        if element.tag in ("script", "style", "template"):
            yield from _script(file, where, element, depth)
        elif element.tag == "table":
            table, caption = _table(element)
            if table is not None:
                yield Fragment(file, where, "table", table, caption)
        elif element.tag in ("title", "desc", "metadata"):
            yield Fragment(
                file, where, "text", element.text_content() if hasattr(element, "text_content") else ""
            )
    yield from (Fragment(file, where, "text", APART.join(values)) for where, values in said.items())
    yield Fragment(file, f"{place} words".strip(), "text", _visible(tree))
    for element in tree.iter("pre", "code", "textarea", "noscript"):
        yield from readers.told(
            file, f"{place} <{element.tag}>".strip(), element.text_content(), suffix=".txt", depth=depth + 1
        )


def _packed_in(file: str, place: str, text: str, depth: int) -> Iterator[Fragment]:
    """What is packed in the words of an attribute or a comment."""
    if len(text) >= WORTH_OPENING and depth < readers.DEPTH and place.rsplit(" ", 1)[-1] != "d":
        start = text.lstrip()[:1]
        if start in "[{<":
            yield from readers.told(file, place, text, depth=depth + 1)
        else:
            yield from readers.packed(file, place, text, depth=depth)


def _script(file: str, where: str, element, depth: int) -> Iterator[Fragment]:
    kind = (element.get("type") or "").lower()
    text = element.text or ""
    suffix = ".css" if element.tag == "style" else ".js" if kind in PROGRAMS else ""
    yield from readers.told(
        file, f"{where} {element.get('id') or kind}".strip(), text, suffix=suffix, depth=depth + 1
    )


def _visible(tree) -> str:
    """The words of a page, a line for each block, so that no sentence runs from one cell into the next."""
    parts = []
    for element in tree.iter():
        named = isinstance(element.tag, str)
        gap = " " if element.tag in INLINE else "\n"
        if named and element.tag not in ("script", "style", "template"):
            parts += [gap, element.text or ""]
        parts += [gap, element.tail or ""]
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


def _table(element) -> tuple[pd.DataFrame | None, str]:
    """A table as text cells under the last header row, and the words that caption it."""
    rows = [(row, [cell for cell in row if cell.tag in ("td", "th")]) for row in element.iter("tr")]
    texts = [
        (
            [" ".join(cell.text_content().split()) for cell in cells for _ in range(_span(cell))],
            row,
            len(cells),
        )
        for row, cells in rows
        if cells
    ]
    if not texts:
        return None, ""
    width = max(len(line) for line, _, _ in texts)
    full = [(line, row) for line, row, cells in texts if len(line) == width and (cells > 1 or width == 1)]
    if not full:
        return None, ""
    head = [line for line, row in full if row.getparent().tag == "thead"] or [full[0][0]]
    names, lines = head[-1], [line for line, _ in full if line not in head]
    caption = " ".join(words.text_content() for words in element.iter("caption"))
    holder = element.getparent()
    for _ in range(4):
        if holder is None:
            break
        caption += " " + (holder.get("aria-label") or "")
        caption += " ".join(words.text_content() for words in holder.findall("figcaption"))
        holder = holder.getparent()

    return pd.DataFrame(lines, columns=unique_names(names), dtype=object), " ".join(caption.split())


def _span(cell) -> int:
    value = cell.get("colspan") or "1"
    return min(int(value), 50) if value.isdigit() else 1
