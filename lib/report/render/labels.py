"""What a page defines and what it points to: labels, references, citations, each with its cell.

Numbers follow Quarto: floats and equations count by chapter ("Figure 2.1"), headings take the chapter's
number first ("Section 2.1").
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import panflute as pf

from lib.report.render.book import Book
from lib.report.render.pages import Page
from lib.report.render.pandoc import MARKER, parse

__all__ = ["KINDS", "Found", "Target", "find", "label_kind", "plain_words", "target_index"]

KINDS = {"fig": "Figure", "tbl": "Table", "eq": "Equation", "sec": "Section"}
LABEL = re.compile(r"\A(fig|tbl|eq|sec)-[\w.-]+\Z", re.I)
IDENTITY = re.compile(r"\bid=[\"']([^\"']+)[\"']")
EQUATION = re.compile(r"\A\{#(eq-[\w.-]+)\}")


@dataclass(frozen=True)
class Target:
    """A labelled thing: what references to it print, and where it stands."""

    label: str
    number: str
    title: str
    page: Page
    cell: int
    appendix: bool = False

    @property
    def kind(self) -> str:
        """``fig``, ``tbl``, ``eq`` or ``sec``."""
        return self.label.split("-")[0]

    @property
    def word(self) -> str:
        """Figure, Table, Equation, Section; a whole page is a Chapter or an Appendix."""
        if self.kind == "sec" and self.number and "." not in self.number:
            return "Appendix" if self.page.appendix else "Chapter"
        return KINDS[self.kind] if self.number else ""


@dataclass
class Found:
    """A parsed page with everything that other pages or the checks need to know of it."""

    page: Page
    doc: pf.Doc
    shelf: list[str] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    references: list[tuple[str, int]] = field(default_factory=list)
    citations: list[tuple[str, int]] = field(default_factory=list)
    uncaptioned: list[tuple[str, int]] = field(default_factory=list)
    shortcodes: list[tuple[str, int]] = field(default_factory=list)
    links: list[tuple[str, int]] = field(default_factory=list)
    identifiers: set[str] = field(default_factory=set)
    heading_numbers: dict[str, str] = field(default_factory=dict)
    has_reference_list: bool = False


def label_kind(identifier: str) -> str:
    """``fig``, ``tbl``, ``eq``, ``sec``, or empty for what is not a label of ours."""
    match = LABEL.match(identifier)
    return match[1].lower() if match else ""


def marker_cell(element: pf.Element) -> int:
    """The cell that a marker names, or 0 for every other element."""
    match = MARKER.fullmatch(element.text) if isinstance(element, pf.RawBlock) else None
    return int(match[1]) if match else 0


def is_titled_box(element: pf.Element) -> bool:
    """Whether headings in this element are titles of a callout or of tabs, which take no number."""
    return isinstance(element, pf.Div) and any(
        name == "panel-tabset" or name.startswith("callout") for name in element.classes
    )


def caption_of(element: pf.Element) -> list[pf.Inline]:
    """The caption of a labelled figure or table, or nothing."""
    if isinstance(element, pf.Div):
        last = element.content[-1] if element.content else None
        return list(last.content) if isinstance(last, pf.Para) else []
    blocks = element.caption.content if element.caption else []
    return list(blocks[0].content) if blocks else []


def plain_words(inlines: Iterable[pf.Inline]) -> str:
    """The words of a title or caption as a reader sees them, without the raw HTML around some of them."""
    words = pf.Para(*copy.deepcopy(list(inlines)))
    words.walk(lambda element, _: [] if isinstance(element, pf.RawInline) else None)
    return pf.stringify(words).strip()


def find(page: Page, book: Book) -> Found:
    """Parse a page and list its labels, references and citations."""
    found = Found(page, *parse(page))
    counts: Counter[str] = Counter()
    levels = [0] * 7
    cell = page.cells[0].number if page.cells else 1
    if page.anchor:
        found.targets.append(Target(page.anchor, page.number, page.title, page, cell))

    def number(kind: str) -> str:
        counts[kind] += 1
        return f"{page.number}.{counts[kind]}" if page.number else str(counts[kind])

    def visit(element: pf.Element, _: pf.Doc) -> None:
        nonlocal cell
        cell = marker_cell(element) or cell
        if isinstance(element, (pf.RawBlock, pf.RawInline)):
            found.identifiers |= set(IDENTITY.findall(element.text))
        elif identifier := getattr(element, "identifier", ""):
            found.identifiers.add(identifier)
        if isinstance(element, pf.Header):
            _heading(element, found, levels, cell, book)
        elif isinstance(element, (pf.Div, pf.Table, pf.Figure)):
            found.has_reference_list |= element.identifier == "refs"
            if label_kind(element.identifier) in ("fig", "tbl"):
                caption = caption_of(element)
                if not caption:
                    found.uncaptioned.append((element.identifier, cell))
                counted = number(label_kind(element.identifier))
                found.targets.append(Target(element.identifier, counted, _short(caption), page, cell))
        elif isinstance(element, pf.Math) and (label := equation_label(element)):
            found.targets.append(Target(label, number("eq"), "", page, cell))
        elif isinstance(element, pf.Cite):
            for citation in element.citations:
                kind = label_kind(citation.id)
                (found.references if kind else found.citations).append((_lower(citation.id), cell))
        elif isinstance(element, pf.Link):
            found.links.append((element.url, cell))
        elif isinstance(element, pf.Str) and element.text == "{{<":
            found.shortcodes.append((_next_word(element), cell))

    found.doc.walk(visit)
    found.identifiers |= {identity for text in found.shelf for identity in IDENTITY.findall(text)}
    found.identifiers |= {target.label for target in found.targets} | {"main"}
    return found


def equation_label(math: pf.Math) -> str:
    """The label that follows a displayed equation, as in ``$$x$$ {#eq-x}``."""
    after = math.next
    after = after.next if isinstance(after, (pf.Space, pf.SoftBreak)) else after
    match = EQUATION.match(after.text) if math.format == "DisplayMath" and isinstance(after, pf.Str) else None
    return match[1] if match else ""


def target_index(pages: list[Found]) -> dict[str, Target]:
    """Every label of the book; labels are taken to be unique."""
    return {target.label: target for found in pages for target in found.targets}


def _heading(header: pf.Header, found: Found, levels: list[int], cell: int, book: Book) -> None:
    parent = header.parent
    while parent is not None:
        if is_titled_box(parent):
            return
        parent = parent.parent
    page, number = found.page, ""
    if book.number_sections and page.number and not {"unnumbered", "-"} & set(header.classes):
        levels[header.level] += 1
        levels[header.level + 1 :] = [0] * (6 - header.level)
        number = ".".join([page.number, *map(str, levels[2 : header.level + 1])])
        found.heading_numbers[header.identifier] = number
    if label_kind(header.identifier) == "sec":
        found.targets.append(Target(header.identifier, number, plain_words(header.content), page, cell))


def _short(caption: list[pf.Inline]) -> str:
    """The finding in a caption: its first bold words, or all of it."""
    bold = next((inline for inline in caption if isinstance(inline, pf.Strong)), None)
    return plain_words(bold.content if bold is not None else caption)


def _lower(label: str) -> str:
    """``@Fig-x`` at the start of a sentence names ``fig-x``."""
    return label[0].lower() + label[1:] if label_kind(label) else label


def _next_word(element: pf.Element) -> str:
    after = element.next
    while isinstance(after, (pf.Space, pf.SoftBreak)):
        after = after.next
    return after.text if isinstance(after, pf.Str) else ""
