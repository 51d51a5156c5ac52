"""Pages through pandoc: Markdown to its document tree, and the tree to HTML."""

from __future__ import annotations

import importlib.util
import io
import re
import subprocess
from functools import cache
from pathlib import Path

import panflute as pf

from lib.errors import BuildError
from lib.report.render.pages import Cell, Page

__all__ = ["MARKER", "markdown_of", "parse", "run", "unshelve", "write_html"]

MARKER = re.compile(r"<!--cell (\d+)-->")
RAW_BLOCK = re.compile(r"^(`{3,})\{=html\}\n(.*?)\n\1[ \t]*$", re.S | re.M)
SHELVED = 2000  # characters from which a raw block skips pandoc
ALIGNED = re.compile(
    r' style="text-align: (left|right|center);"'
)  # a policy with hashes refuses style attributes
COLUMN_WIDTH = re.compile(r"<colgroup>.*?</colgroup>\s*", re.S)
UNCLOSED = re.compile(r"Div at line (\d+) column \d+ unclosed")


@cache
def program() -> str:
    """The pandoc that pypandoc carries; its own search prefers any newer one, so that pages would differ."""
    spec = importlib.util.find_spec("pypandoc")
    bundled = Path(spec.origin).with_name("files") / "pandoc" if spec and spec.origin else None
    if bundled is None or not bundled.is_file():
        raise BuildError("pypandoc_binary is not installed; install requirements.lock with make report")
    return str(bundled)


def run(text: str, *arguments: str, page: str) -> str:
    """Pandoc's output for a text; a failure, or a div that nobody closed, names the page and cell."""
    done = subprocess.run(
        [program(), *arguments], input=text, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if unclosed := UNCLOSED.search(done.stderr):
        before = "\n".join(text.splitlines()[: int(unclosed[1])])
        cells = MARKER.findall(before) or ["1"]
        raise BuildError(
            f"{page}, cell {cells[-1]}: a div that opens with ::: is not closed; end it with :::"
        )
    if done.returncode:
        tail = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise BuildError(f"{page}: pandoc could not read the page (exit {done.returncode}): {tail}")
    return done.stdout


def markdown_of(page: Page) -> str:
    """All cells of a page as one Markdown text, each after its marker; code cells as code blocks."""
    parts = []
    for cell in page.cells:
        marker = f"```{{=html}}\n<!--cell {cell.number}-->\n```"  # keeps the cell's number through pandoc
        parts += [marker, _code(cell) if cell.kind == "code" else cell.source]
    return "\n\n".join(part for part in parts if part) + "\n"


def _code(cell: Cell) -> str:
    if {"remove-cell", "remove-input", "remove_cell", "remove_input"} & cell.tags:
        return ""
    fence = "`" * max(3, 1 + max((len(run) for run in cell.source.split() if set(run) == {"`"}), default=0))
    return f"{fence}{{#cell-{cell.anchor} .python .cell-code}}\n{cell.source}\n{fence}"


def parse(page: Page) -> tuple[pf.Doc, list[str]]:
    """A page as a pandoc document, and the long pieces of HTML that ``unshelve`` puts back.

    Drawings are most of a page's bytes and pandoc has nothing to say to them; without them a page takes
    a third of the time.
    """
    text, shelf = shelve(markdown_of(page))
    return pf.load(io.StringIO(run(text, "-f", "markdown", "-t", "json", page=page.source))), shelf


def shelve(text: str) -> tuple[str, list[str]]:
    """Markdown with each long raw HTML block as a numbered comment, and the blocks' HTML."""
    shelf: list[str] = []

    def take(match: re.Match) -> str:
        if len(match[2]) < SHELVED:
            return match[0]
        shelf.append(match[2])
        blank = "\n" * match[2].count("\n")  # keeps the lines that pandoc's warnings count
        return f"{match[1]}{{=html}}\n<!--shelf {len(shelf) - 1}-->\n{match[1]}{blank}"

    return RAW_BLOCK.sub(take, text), shelf


def unshelve(body: str, shelf: list[str]) -> str:
    """Put the long pieces of HTML back."""
    return re.sub(r"<!--shelf (\d+)-->", lambda match: shelf[int(match[1])], body)


def write_html(doc: pf.Doc, *, page: str) -> str:
    """The body of a page as HTML5 with MathML and highlighted code."""
    buffer = io.StringIO()
    pf.dump(doc, buffer)
    arguments = ["-f", "json", "-t", "html5", "--mathml", "--section-divs", "--wrap=none"]
    return COLUMN_WIDTH.sub("", ALIGNED.sub(r' class="\1"', run(buffer.getvalue(), *arguments, page=page)))
