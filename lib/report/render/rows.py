"""Links from numbers to the rows behind them, settled across all pages of a site.

A row has one place: the first table of the report that holds it. A number on another page leads there;
a number whose row stands in no table leads to the file of all estimates.

The stage cannot settle this: it writes one page at a time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["link_rows", "link_rows_of_site"]

IDENTITY = re.compile(r' id="(row-[^"]+)"')
LINK = re.compile(r'(href=|"to": ?)"#(row-[^"]+)"')
ESTIMATES = "downloads/estimates.csv"


def link_rows(pages: Mapping[str, str], *, fallback: str = ESTIMATES) -> dict[str, str]:
    """Pages whose links to rows all lead somewhere, and where no row's id stands twice: the second is ``data-at``.

    Parameters
    ----------
    pages : mapping
        HTML by address, in reading order.
    fallback : str
        Address for a row that no page shows; empty leads to the top of the page itself.
    """
    homes: dict[str, str] = {}
    for href, page in pages.items():
        for identity in IDENTITY.findall(page):
            homes.setdefault(identity, href)
    own = {href: set(IDENTITY.findall(page)) for href, page in pages.items()}
    return {href: _linked(href, page, own[href], homes, fallback) for href, page in pages.items()}


def link_rows_of_site(site: Path) -> None:
    """The same for pages that are files already."""
    paths = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*.html"))}
    texts = {href: path.read_text("utf-8") for href, path in paths.items()}
    for href, text in link_rows(texts).items():
        if text != texts[href]:
            paths[href].write_text(text, "utf-8")


def _linked(href: str, page: str, own: set[str], homes: Mapping[str, str], fallback: str) -> str:
    def to(address: str) -> str:
        return os.path.relpath(address, os.path.dirname(href) or ".").replace(os.sep, "/")

    def lead(match: re.Match) -> str:
        identity = match[2]
        if identity in own:
            return match[0]
        if identity in homes:
            return f'{match[1]}"{to(homes[identity])}#{identity}"'
        if fallback:
            return f'{match[1]}"{to(fallback)}#{identity}"'
        return f'{match[1]}"#main"' if match[1] == "href=" else match[0]

    seen: set[str] = set()

    def once(match: re.Match) -> str:
        repeated = match[1] in seen
        seen.add(match[1])
        return f' data-at="{match[1]}"' if repeated else match[0]

    return LINK.sub(lead, IDENTITY.sub(once, page))
