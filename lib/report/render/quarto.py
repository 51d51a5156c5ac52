"""The Quarto renderer: the same stage through the real ``quarto``, its pages made to need no other host.

Quarto's own templates carry inline scripts, so its pages cannot have a strict Content-Security-Policy;
what is promised is that they are complete without a network.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

import yaml

from lib.errors import BuildError
from lib.report.render.book import read_book
from lib.report.render.check import check_pages
from lib.report.render.exhibits import SOURCE, TITLE, exhibits_markdown
from lib.report.render.labels import find
from lib.report.render.offline import make_offline

__all__ = ["render"]

OUTPUT = "_site"
TAIL = 15  # lines of Quarto's output that an error quotes
STEP = re.compile(r"\[\s*(\d+)/(\d+)\]\s+(\S+)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def render(project: Path, out: Path, *, progress: Callable[[str, int, int], None] | None = None) -> None:
    """Typeset a staged project as a site by ``quarto render``.

    Parameters
    ----------
    project : Path
        The stage: ``_quarto.yml``, notebooks and Markdown files.
    out : Path
        The site's folder; made if it is not there.
    progress : callable, optional
        Called with page, pages done, pages in all, as Quarto announces them.

    Raises
    ------
    BuildError
        If ``quarto`` is not installed or fails, the checks of ``check`` find a mistake, or a page would
        still ask another host for something.
    """
    program = shutil.which("quarto")
    if program is None:
        raise BuildError(
            "quarto is not on PATH; install it (conda-forge has it, see environment.yml) "
            "or build with --renderer embedded"
        )
    with tempfile.TemporaryDirectory(prefix="lwo-quarto-") as folder:
        copy = Path(folder) / "project"
        prepare(Path(project), copy)
        run_quarto(program, copy, progress)
        site = copy / OUTPUT
        if not (site / "index.html").is_file():
            raise BuildError(
                f"quarto ended without writing {OUTPUT}/index.html; run it on _build/project to see why"
            )
        make_offline(site, synthetic=read_book(copy).synthetic)
        shutil.copytree(site, out, dirs_exist_ok=True)
        if (Path(project) / "site_libs").is_dir():
            shutil.copytree(Path(project) / "site_libs", Path(out) / "site_libs", dirs_exist_ok=True)


def prepare(project: Path, copy: Path) -> None:
    """Copy the stage, settle what this renderer relies on, add the list of figures and tables."""
    book = read_book(project)
    pages = [find(page, book) for page in book.pages]
    check_pages(pages, book)
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns(OUTPUT, "_book", ".quarto"))
    settings = dict(book.settings)
    settings["project"] = dict(settings.get("project") or {}, type="book", **{"output-dir": OUTPUT})
    settings["execute"] = {"enabled": False}
    # On hover, Quarto would fetch the page a reference leads to, which browsers refuse on file://.
    html = dict(book.html, **{"html-math-method": "mathml", "crossrefs-hover": False})
    settings["format"] = {"html": html}
    listed = exhibits_markdown(pages)
    if listed and not (copy / SOURCE).exists():
        (copy / SOURCE).write_text(f"# {TITLE} {{.unnumbered}}\n\n{listed}\n", "utf-8")
        place = "appendices" if settings["book"].get("appendices") else "chapters"
        settings["book"] = dict(settings["book"], **{place: [*settings["book"][place], SOURCE]})
    (copy / "_quarto.yml").write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), "utf-8")


def run_quarto(program: str, project: Path, progress: Callable[[str, int, int], None] | None) -> None:
    """``quarto render PROJECT --to html --no-execute``; a failure quotes the end of its output."""
    command = [program, "render", str(project), "--to", "html", "--no-execute"]
    tail: deque[str] = deque(maxlen=TAIL)
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            clean = COLOUR.sub("", line).rstrip()
            if clean:
                tail.append(clean.replace(str(project), "_build/project"))
            if progress and (step := STEP.search(clean)):
                progress(step[3], int(step[1]), int(step[2]))
    if process.returncode:
        said = "\n".join(f"  {line}" for line in tail) or "  (it printed nothing)"
        raise BuildError(
            f"quarto render failed with exit status {process.returncode}; correct the page it names, "
            f"or build with --renderer embedded. It said:\n{said}"
        )
