"""The house forms of a page: figures, tables, folded code, callouts, tabs, references.

Works on pandoc's document tree, so the text of a page passes through one Markdown reader only.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import PurePosixPath

import panflute as pf

from lib.report.render.book import Book
from lib.report.render.boxes import CALLOUTS, callout, raw, tabset
from lib.report.render.labels import (
    KINDS,
    Found,
    Target,
    caption_of,
    equation_label,
    label_kind,
    marker_cell,
    plain_words,
)
from lib.report.render.pages import PAGE_ENDINGS, Page

__all__ = ["typeset"]


def typeset(found: Found, index: Mapping[str, Target], book: Book) -> pf.Doc:
    """Put the house forms into a parsed page, in place; returns its document."""
    found.doc.content = adopt_code(list(found.doc.content))
    forms = Forms(found, index, book)
    return found.doc.walk(forms)


def adopt_code(blocks: list[pf.Block]) -> list[pf.Block]:
    """Put code after what it shows, so that the text reads on; drop the markers of cells.

    Code goes to the end of the figure or table that follows it, or else behind the next paragraph, all
    that was waiting in one fold; never beyond a heading.
    """
    kept: list[pf.Block] = []
    waiting: list[pf.Block] = []
    for block in (block for block in blocks if not marker_cell(block)):
        if isinstance(block, pf.Div):
            block.content = adopt_code(list(block.content))
        if is_cell_code(block):
            waiting.append(block)
            continue
        if isinstance(block, pf.Div) and label_kind(block.identifier) in ("fig", "tbl"):
            block.content = fold(waiting) + list(block.content)
            waiting = []
        elif waiting and not isinstance(block, pf.Para):
            add_fold(kept, waiting)
            waiting = []
        kept.append(block)
        add_fold(kept, waiting)
        waiting = []
    add_fold(kept, waiting)
    return kept


def add_fold(kept: list[pf.Block], codes: list[pf.Block]) -> None:
    """Fold code behind the last block; two folds in a row are one."""
    if codes and kept and isinstance(kept[-1], pf.Div) and "cell-fold" in kept[-1].classes:
        kept[-1].content.extend(codes)
    else:
        kept += fold(codes)


def fold(codes: list[pf.Block]) -> list[pf.Block]:
    """Code of one or more cells as one block that ``Forms`` folds."""
    return [pf.Div(*codes, classes=["cell-fold"])] if codes else []


def is_cell_code(block: pf.Element | None) -> bool:
    """Whether a block is the code of a notebook's cell."""
    return isinstance(block, pf.CodeBlock) and "cell-code" in block.classes


class Forms:
    """Action for ``walk``: replaces each element that has a form of its own."""

    def __init__(self, found: Found, index: Mapping[str, Target], book: Book):
        self.page: Page = found.page
        self.index, self.book = index, book
        self.heading_numbers = found.heading_numbers

    def __call__(self, element: pf.Element, doc: pf.Doc):
        """The replacement of an element, or None to leave it."""
        if isinstance(element, pf.Header):
            return self.heading(element)
        if isinstance(element, pf.Cite):
            return self.reference(element)
        if isinstance(element, pf.CodeBlock):
            return self.code(element)
        if isinstance(element, pf.Div):
            return self.div(element)
        if isinstance(element, (pf.Table, pf.Figure)):
            return self.float_or_table(element)
        if isinstance(element, pf.Para):
            return self.equations(element)
        if isinstance(element, pf.Link):
            element.url = page_address(element.url)
        return None

    def heading(self, header: pf.Header) -> None:
        """Print the number of a numbered heading."""
        number = self.heading_numbers.get(header.identifier)
        if number:
            header.content.insert(0, pf.Space)
            header.content.insert(0, pf.Span(pf.Str(number), classes=["header-section-number"]))

    def div(self, div: pf.Div):
        """Floats, callouts and tabs; other divs stay as they are."""
        if "cell-fold" in div.classes:
            return self.folded(div)
        if label_kind(div.identifier) in ("fig", "tbl"):
            return self.figure(div.identifier, list(div.content[:-1]), caption_of(div))
        name = next((name for name in div.classes if name in CALLOUTS), None)
        if name:
            return callout(div, CALLOUTS[name], name.removeprefix("callout-"))
        return tabset(div) if "panel-tabset" in div.classes else None

    def figure(self, label: str, body: list[pf.Block], caption: list[pf.Inline]) -> list[pf.Block]:
        """A labelled figure or table with its caption first and its code last."""
        target = self.index[label]
        kind = label_kind(label)
        code = [block for block in body if "cell-fold" in getattr(block, "classes", ())]
        rest = [block for block in body if block not in code]
        number = pf.Span(pf.Str(f"{KINDS[kind]}\u00a0{target.number}"), classes=["float-number"])
        return [
            raw(f'<figure id="{html.escape(label)}" class="float float-{kind}">\n<figcaption>'),
            pf.Plain(number, pf.Space, *caption),
            raw("</figcaption>"),
            *rest,
            *code,
            raw("</figure>"),
        ]

    def float_or_table(self, element: pf.Table | pf.Figure):
        """Markdown tables and images: labelled ones become floats, tables scroll in a named region."""
        kind = label_kind(element.identifier)
        caption = caption_of(element) if kind else []
        if isinstance(element, pf.Figure):
            return self.figure(element.identifier, list(element.content), caption) if kind else None
        name = plain_words(caption) if caption else "Table"
        label = element.identifier
        if kind:
            element.caption, element.identifier = pf.Caption(), ""
        region = raw(f'<div class="scroll" role="region" tabindex="0" aria-label="{html.escape(name)}">')
        wrapped = [region, element, raw("</div>")]
        return self.figure(label, wrapped, caption) if kind else wrapped

    def code(self, block: pf.CodeBlock) -> list[pf.Block]:
        """Code that scrolls in a named region; the anchor of a cell is the region's."""
        anchor = f' id="{html.escape(block.identifier)}"' if is_cell_code(block) else ""
        if anchor:
            block.identifier = ""
            block.classes = [name for name in block.classes if name != "cell-code"]
        return [
            raw(f'<div{anchor} class="code-block" role="region" tabindex="0" aria-label="Code">'),
            block,
            raw("</div>"),
        ]

    def folded(self, div: pf.Div) -> pf.Div:
        """Code of cells, folded where the book says so."""
        setting = self.book.html.get("code-fold", True)
        if setting in (False, "none"):
            return div
        summary = html.escape(str(self.book.html.get("code-summary") or "Code"))
        start = raw(
            f'<details class="code"{" open" if setting == "show" else ""}><summary>{summary}</summary>'
        )
        div.content = [start, *div.content, raw("</details>")]
        return div

    def reference(self, cite: pf.Cite):
        """``@fig-x`` and its kin as links; citations of the literature are left to citeproc."""
        if not any(label_kind(citation.id) for citation in cite.citations):
            return None
        parts: list[pf.Inline] = []
        for citation in cite.citations:
            if parts:
                parts += [pf.Str(","), pf.Space]
            parts += self._one_reference(citation)
        return parts

    def _one_reference(self, citation: pf.Citation) -> list[pf.Inline]:
        target = self.index[citation.id[0].lower() + citation.id[1:]]
        href = (
            "" if target.page.href == self.page.href else self.page.to(target.page.href)
        ) + f"#{target.label}"
        if not target.number:
            words: list[pf.Inline] = [pf.Str(target.title)]
        elif citation.mode == "SuppressAuthor":
            words = [pf.Str(target.number)]
        elif citation.prefix:
            words = [*citation.prefix, pf.Str("\u00a0" + target.number)]
        else:
            words = [pf.Str(f"{target.word}\u00a0{target.number}")]
        return [pf.Link(*words, url=href, classes=["quarto-xref"]), *citation.suffix]

    def equations(self, paragraph: pf.Para):
        """Number a displayed equation that has a label."""
        for math in [
            item for item in paragraph.content if isinstance(item, pf.Math) and equation_label(item)
        ]:
            label = equation_label(math)
            position = math.index
            end = position + (2 if isinstance(math.next, pf.Str) else 3)
            number = pf.Span(pf.Str(f"({self.index[label].number})"), classes=["equation-number"])
            numbered = pf.Span(math, number, identifier=label, classes=["equation"])
            paragraph.content[position:end] = [numbered]


def page_address(url: str) -> str:
    """A link to a page's source leads to the page."""
    path, hash_, anchor = url.partition("#")
    if "://" in path or not path.endswith(PAGE_ENDINGS):
        return url
    return str(PurePosixPath(path).with_suffix(".html")) + hash_ + anchor
