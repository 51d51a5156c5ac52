"""Verdict badges: ``<span data-finding="1a-1"></span>`` in a chapter becomes what the findings page decided.

The verdicts come from the marks of the executed findings page, so a badge and the scorecard cannot differ. A
chapter that ran without that page, or a study without findings, has no badges.
"""

from __future__ import annotations

import html
import json
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path

from lib.errors import BuildError
from lib.report.marks import MARK
from lib.report.project import Page, Project
from lib.study.codebook import nearest
from lib.study.load import Study
from lib.study.rules import known_findings

PAGE = "findings"
SPAN = re.compile(r'<span data-finding="([^"]*)"></span>')
SEVERAL = re.compile(r'(?:<span data-finding="[^"]*"></span>[ \t]*)+')


@dataclass(frozen=True)
class Badges:
    """Verdicts to place.

    Attributes
    ----------
    known : tuple of str
        Every finding of the study; another id in a chapter is an error.
    verdicts : dict
        By finding: ``verdict`` (a symbol's name), ``words`` and ``robust`` (words, or empty).
    target : str
        The findings page, such as ``chapters/findings.ipynb``.
    """

    known: tuple[str, ...] = ()
    verdicts: dict[str, dict] = field(default_factory=dict)
    target: str = ""

    def fill(self, text: str, page: Page, cell: int) -> str:
        """Markdown with its badges; of a notebook that several pages run, those of this page's question.

        Raises
        ------
        BuildError
            If a badge names no finding; the message has page, cell and the nearest id.
        """
        for finding in SPAN.findall(text):
            if finding not in self.known and self.known:
                raise BuildError(
                    f"chapter {page.notebook.name} (page {page.name}), cell {cell}: a badge names finding {finding!r}, "
                    f"which findings.yml does not list{nearest(finding, self.known)}"
                )
        return SEVERAL.sub(lambda found: self._badges(SPAN.findall(found[0]), page), text)

    def _badges(self, findings: list[str], page: Page) -> str:
        shared = page.notebook.stem != page.name  # each of the pages that run it has a question of its own
        own = [one for one in findings if not shared or page.name.endswith(one.split("-")[0])]
        shown = [self._badge(finding, page) for finding in own if finding in self.verdicts]
        return f'<span class="badges">{" ".join(shown)}</span>' if shown else ""

    def _badge(self, finding: str, page: Page) -> str:
        decided = self.verdicts[finding]
        place = posixpath.relpath(self.target or page.target, posixpath.dirname(page.target) or ".")
        href = f"{posixpath.splitext(place)[0]}.html#f-{finding}"
        robust = f" <span>{html.escape(decided['robust'])}</span>" if decided.get("robust") else ""
        mark = verdict_html(decided["verdict"], decided["words"])
        return f'<a href="{href}">{finding} {mark}{robust}</a>'


def verdict_html(verdict: str, words: str) -> str:
    """A verdict as symbol and words."""
    return (
        f'<span class="verdict"><svg aria-hidden="true" focusable="false"><use href="#v-{verdict}"/></svg>'
        f"{html.escape(words)}</span>"
    )


def read_badges(project: Project, study: Study, executed: Path) -> Badges:
    """Badges of a report, from the findings page that was executed into a folder."""
    page = next((page for page in project.pages if page.name == PAGE), None)
    notebook = executed / f"{PAGE}.ipynb"
    known = tuple(known_findings(study.findings))
    if page is None or not notebook.is_file():
        return Badges(known)
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    marks = [output.get("data", {}).get(MARK, {}) for cell in cells for output in cell.get("outputs", ())]
    verdicts = {finding: decided for mark in marks for finding, decided in mark.get("verdicts", {}).items()}
    return Badges(known, verdicts, page.target)
