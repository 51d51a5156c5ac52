"""The search index: each section's heading and words, as a classic script that also loads from file://."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from lxml import html as lxml_html

__all__ = ["Section", "index_script", "page_words", "sections"]

SKIPPED = ("script", "style", "svg", "annotation", "nav", "footer")
SKIPPED_CLASSES = {"sr", "crumb", "footnote-back", "quarto-title-meta"}
INLINE = ("a", "data", "em", "strong", "span", "code", "sup", "sub", "b", "i", "mark", "small")
SPACE = re.compile(r"\s+")
BETWEEN_CELLS = " \N{MIDDLE DOT} "  # the cells of a table's line make no sentence


@dataclass(frozen=True)
class Section:
    """One entry of the search: a section of a page, or the page before its first heading."""

    id: str
    page: str
    heading: str
    text: str


def sections(href: str, title: str, body: str) -> list[Section]:
    """Sections of a page's body by their second-level headings.

    Parameters
    ----------
    href, title : str
        Address in the site and title of the page.
    body : str
        HTML of its text.
    """
    tree = lxml_html.fragment_fromstring(body, create_parent="div")
    for table in tree.xpath(".//details[@class='data']"):
        table.drop_tree()  # the numbers of a figure would outweigh all words
    entries = []
    for section in tree.xpath("./section[@id][contains(@class, 'level2')]"):
        title_element = section.find("h2")
        number = title_element.find_class("header-section-number") if title_element is not None else []
        for element in number:
            element.drop_tree()
        heading = _words(title_element) if title_element is not None else ""
        if title_element is not None:
            title_element.drop_tree()
        entries.append(Section(f"{href}#{section.get('id')}", title, heading, _words(section)))
        section.getparent().remove(section)
    return [Section(href, title, "", _words(tree)), *entries]


def page_words(page: str) -> list[str]:
    """Words of a whole page's main text, drawings left out; what both renderers must agree on."""
    main = lxml_html.document_fromstring(page).xpath("//main")
    return re.findall(r"\w+", _words(main[0])) if main else []


def index_script(entries: list[Section]) -> str:
    """The index as a script that sets one global."""
    data = json.dumps([asdict(entry) for entry in entries], ensure_ascii=False, separators=(",", ":"))
    return f"globalThis.lwoSearch={data};\n"


def _words(element) -> str:
    """Text of an element, words of neighbouring blocks kept apart."""
    parts: list[str] = []

    def walk(node) -> None:
        if not isinstance(node.tag, str):
            return
        if not _is_frame(node):
            parts.append(node.text or "")
            for child in node:
                walk(child)
                parts.append(child.tail or "")
        if node.tag not in INLINE:
            parts.append(BETWEEN_CELLS if node.tag in ("td", "th") else " ")

    walk(element)
    return SPACE.sub(" ", "".join(parts)).strip()


def _is_frame(node) -> bool:
    """Whether an element is drawing, navigation or a label of the frame, not text of the page."""
    if node.tag == "summary":
        return "code" in (node.getparent().get("class") or "").split()
    return node.tag in SKIPPED or bool(SKIPPED_CLASSES & set((node.get("class") or "").split()))
