"""Pages that Quarto wrote, made complete without a network and given the report's own figure styles.

Inline scripts become files of the site; scripts, styles and fonts of other hosts go; search works from
file:// because the index comes as a script instead of by ``fetch``.
"""

from __future__ import annotations

import hashlib
import html
import re
import shutil
from pathlib import Path

from lib.errors import BuildError
from lib.report.render.frame import ROOM
from lib.report.render.rows import link_rows_of_site

__all__ = ["make_offline"]

ASSETS = ROOM / "assets"
OURS = ("shared.css", "quarto.css", "site.js")
SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.S | re.I)
OUTSIDE = r"""=\s*["'](?:https?:)?//"""
FOREIGN_SCRIPT = re.compile(rf"<script\b[^>]*\bsrc{OUTSIDE}[^>]*>\s*</script>\s*", re.S | re.I)
FOREIGN_LINK = re.compile(rf"<link\b(?![^>]*canonical)[^>]*\bhref{OUTSIDE}[^>]*>\s*", re.I)
ASKS = re.compile(
    rf"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc{OUTSIDE}([^"'\s]+)"""
    rf"""|<link\b(?![^>]*canonical)[^>]*\bhref{OUTSIDE}([^"'\s]+)""",
    re.I,
)
FOREIGN_IMPORT = re.compile(r"""@import\s*(?:url\(\s*)?["']?(?:https?:)?//[^;]*;""", re.I)
FOREIGN_FONT = re.compile(r"""url\(\s*["']?(?:https?:)?//[^)]*\)""", re.I)
SCRIPT_TYPES = ("", "text/javascript", "application/javascript")
NOTICE = (
    '<aside class="synthetic" aria-label="About the data"><p><strong>Synthetic data.</strong> The student records '
    "are not public. These results come from made-up students, drawn to match the figures that the study's report "
    "prints.</p></aside>"
)
# Quarto's search asks for search.json by fetch, which browsers refuse on file://.
SEARCH = """(() => {{
  const index = {index}, ask = window.fetch;
  window.fetch = (what, how) => String(what.url || what).endsWith("search.json")
    ? Promise.resolve(new Response(JSON.stringify(index))) : ask(what, how);
}})();
"""


def make_offline(site: Path, *, synthetic: bool) -> None:
    """Rewrite every page and style sheet of a site in place.

    Parameters
    ----------
    site : Path
        The folder that ``quarto render`` wrote.
    synthetic : bool
        Whether each page opens with the notice that the data are made up.

    Raises
    ------
    BuildError
        If a page would still ask another host for something, such as an image; names page and address.
    """
    libs = site / "site_libs" / "lwo"
    libs.mkdir(parents=True, exist_ok=True)
    for name in OURS:
        shutil.copy(ASSETS / name, libs / name)
    if (site / "search.json").is_file():
        index = (site / "search.json").read_text("utf-8").replace("</", "<\\/")
        (libs / "search.js").write_text(SEARCH.format(index=index), "utf-8")
    for path in sorted(site.rglob("*.html")):
        up = "../" * (len(path.relative_to(site).parts) - 1)
        page = _local_page(path.read_text("utf-8"), libs, f"{up}site_libs/lwo", synthetic)
        asked = [first or second for first, second in ASKS.findall(page)]
        if asked:
            raise BuildError(
                f"{path.relative_to(site)} asks {asked[0].split('/')[0]} for something ({len(asked)} in all); "
                "put the file into the report's folder"
            )
        path.write_text(page, "utf-8")
    link_rows_of_site(site)
    for path in sorted(site.rglob("*.css")):
        style = path.read_text("utf-8")
        local = FOREIGN_FONT.sub("url(data:,)", FOREIGN_IMPORT.sub("", style))
        if local != style:
            path.write_text(local, "utf-8")


def _local_page(page: str, libs: Path, address: str, synthetic: bool) -> str:
    """One page: foreign tags out, inline scripts into files, our styles and notice in."""
    page = FOREIGN_LINK.sub("", FOREIGN_SCRIPT.sub("", page))
    page = SCRIPT.sub(lambda match: _script_file(match, libs, address), page)
    search = f'<script src="{address}/search.js"></script>\n' if (libs / "search.js").is_file() else ""
    head = (
        f'<link rel="stylesheet" href="{address}/shared.css">\n<link rel="stylesheet" href="{address}/quarto.css">\n'
        f'{search}<script src="{address}/site.js"></script>\n'
    )
    page = page.replace("</head>", head + "</head>", 1)
    page = re.sub(r"<html\b", '<html data-theme="light"', page, count=1)
    sprite = (ROOM / "templates" / "sprite.svg").read_text("utf-8")
    page = re.sub(r"(<body\b[^>]*>)", lambda match: match[1] + "\n" + sprite, page, count=1)
    if synthetic:
        page = re.sub(r"(<main\b[^>]*>)", lambda match: f"{match[1]}\n{NOTICE}", page, count=1)
    return page


def _script_file(match: re.Match, libs: Path, address: str) -> str:
    """An inline classic script as a file of the site; data blocks and modules stay."""
    attributes, text = match[1], match[2]
    kind = re.search(r"""\btype\s*=\s*["']?([^"'\s>]*)""", attributes)
    if (
        re.search(r"\bsrc\s*=", attributes)
        or (kind[1].lower() if kind else "") not in SCRIPT_TYPES
        or not text.strip()
    ):
        return match[0]
    name = hashlib.sha256(text.encode()).hexdigest()[:16] + ".js"
    (libs / name).write_text(text, "utf-8")
    return f'<script{attributes} src="{html.escape(address)}/{name}"></script>'
