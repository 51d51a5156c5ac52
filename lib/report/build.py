"""Building the report: run the chapters, stage their pages, typeset them, exchange the site.

study folder -> executed notebooks (``_build/executed``) -> stage (``_build/project``) -> site (``_site``)
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import nbformat
import pandas as pd
import yaml

from lib.analysis.estimates import ESTIMATE_COLUMNS
from lib.disclosure.releases import check_release_name, recorded_release
from lib.errors import BuildError, DisclosureError
from lib.report.badges import read_badges
from lib.report.cache import digests, renew_prose
from lib.report.exchange import exchange, repair
from lib.report.filters import write_filters
from lib.report.marks import published_rows
from lib.report.parameters import chapter_parameters
from lib.report.project import Page, Project, load_project
from lib.report.provenance import code_version, run_description
from lib.report.requires import fit_notebook
from lib.report.results import RESULTS_VARIABLE
from lib.report.run import Job, run_chapters
from lib.report.stage import StagedPage, stage_page
from lib.study.load import CHECKED_VARIABLE, Study, load_study

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Built:
    """What a build did: where the site is, which pages ran, which were as before."""

    site: Path
    renderer: str
    ran: tuple[str, ...]
    reused: tuple[str, ...] = field(default=())


def build(
    *,
    study: str | Path | None = None,
    out: str | Path = "_site",
    only: tuple[str, ...] = (),
    renderer: str = "auto",
    workers: int | None = None,
    release: str = "",
    progress: Progress = lambda name, done, total: None,
    debug: bool = False,
) -> Built:
    """Build the report into a site folder, which is replaced whole and only on success.

    Parameters
    ----------
    study : path, optional
        The study folder; by default ``$LWO_STUDY`` or the project's ``data``.
    out : path
        The site folder.
    only : tuple of str
        Run these pages, and those they need, anew; the others are taken from the last run where they are
        still valid. Empty: whatever is out of date.
    renderer : {"auto", "quarto", "embedded"}
        ``auto`` takes Quarto where the program is installed.
    workers : int, optional
        Chapters at a time; by default one for each core.
    release : str
        Name under which the build is entered into the study's ledger of releases; empty for none.
    progress : callable
        Called with page name, cells done, cells in all.
    debug : bool
        Whether error messages may quote what a library said of the data.
    """
    project = load_project()
    chosen = choose_renderer(renderer)
    loaded = load_study(study)
    if release:
        check_release_name(loaded, release)
    site = (Path.cwd() / out).resolve()
    check_site_folder(site, project.root)
    asked = {page.name for page in project.closure(list(only))}
    parameters = {page.name: chapter_parameters(page.notebook, page.parameters) for page in project.pages}
    with build_lock(project.root):
        repair(site)
        stale = _run(project, loaded, parameters, asked, workers or os.cpu_count() or 1, progress, debug)
        stage = project.root / "_build" / "project"
        write_stage(project, loaded, parameters, stage)
        new = site.with_name(site.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        render(stage, new, chosen)
        populations = refuse_leaks(new, loaded)
        with recorded_release(loaded, release, populations) if release else nullcontext():
            exchange(new, site)
    names = [page.name for page in project.pages]
    return Built(site, chosen, tuple(stale), tuple(name for name in names if name not in stale))


def choose_renderer(renderer: str) -> str:
    """The renderer that ``auto`` means here, or the one named."""
    if renderer == "auto":
        return "quarto" if shutil.which("quarto") else "embedded"
    if renderer not in ("quarto", "embedded"):
        raise BuildError(f"no renderer {renderer!r}; choose auto, quarto or embedded")
    return renderer


def render(stage: Path, out: Path, renderer: str) -> None:
    """Typeset the stage into a folder and add the downloads."""
    if renderer == "quarto":
        from lib.report.render import quarto as module
    else:
        from lib.report.render import embedded as module
    module.render(stage, out)
    shutil.copytree(stage / "downloads", out / "downloads", dirs_exist_ok=True)


def refuse_leaks(site: Path, study: Study) -> tuple[dict, ...]:
    """Attack the finished site before anyone reads it; a leak stops the build.

    Returns the populations that the site shows.
    """
    from lib.disclosure.audit import attack_site

    found = attack_site(site, study=study)
    leaks = found.leaks
    if leaks:
        shutil.rmtree(site)
        listed = "\n".join(f"  {leak.kind}: {leak.file}, {leak.place}: {leak.message}" for leak in leaks[:20])
        raise DisclosureError(
            f"the site would give away {len(leaks)} things, so it is not published:\n{listed}"
        )
    return found.populations


def check_site_folder(site: Path, root: Path) -> None:
    """Refuse a site folder that a build must not replace: one that holds something else."""
    if site == root or site in root.parents:
        raise BuildError(
            f"the site cannot be written over {site.name}/, which holds the project; name another folder"
        )
    if site.is_file():
        raise BuildError(f"{site.name} is a file; name a folder for the site")
    if site.is_dir() and any(site.iterdir()) and not (site / "index.html").is_file():
        count = sum(1 for _ in site.iterdir())
        raise BuildError(f"{site.name}/ holds {count} files and is not a site; name an empty or new folder")


@contextmanager
def build_lock(root: Path):
    """One build at a time; who holds the lock stands beside it."""
    from filelock import FileLock, Timeout

    folder = root / "_build"
    folder.mkdir(exist_ok=True)
    holder = folder / "build.lock.json"
    lock = FileLock(folder / "build.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        other = json.loads(holder.read_text()) if holder.is_file() else {}
        raise BuildError(
            f"another build is running (process {other.get('pid', '?')}, started {other.get('started', '?')}); "
            "wait for it or stop it"
        ) from None
    try:
        holder.write_text(json.dumps({"pid": os.getpid(), "started": f"{datetime.now():%Y-%m-%d %H:%M:%S}"}))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _run(
    project: Project,
    study: Study,
    parameters: dict[str, dict],
    asked: set[str],
    workers: int,
    progress: Progress,
    debug: bool,
) -> list[str]:
    """Run the pages that are out of date, or that were asked for; returns their names."""
    executed = project.root / "_build" / "executed"
    executed.mkdir(parents=True, exist_ok=True)
    wanted = digests(project, parameters, study)
    jobs = []
    for page in project.pages:
        output, note = executed / f"{page.name}.ipynb", executed / f"{page.name}.digest"
        valid = output.is_file() and note.is_file() and note.read_text() == wanted[page.name]
        fitted = fit_notebook(page.notebook, study, executed, needs=page.requires)
        if valid and page.name not in asked:
            renew_prose(output, fitted)
            continue
        note.unlink(missing_ok=True)
        jobs.append(Job(page.name, page.notebook, parameters[page.name], output, page.needs, fitted))
    if jobs:
        run_chapters(
            jobs,
            workers=min(workers, len(jobs)),
            environment=kernel_environment(study, executed),
            progress=progress,
            debug=debug,
        )
    for job in jobs:
        (executed / f"{job.name}.digest").write_text(wanted[job.name])
    return [job.name for job in jobs]


def kernel_environment(study: Study, executed: Path) -> dict[str, str]:
    """Variables a chapter's kernel needs."""
    return {
        "LWO_STUDY": str(study.folder.resolve()),
        CHECKED_VARIABLE: study.data_hash,
        RESULTS_VARIABLE: str(executed),
        "OPENBLAS_NUM_THREADS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def stage_executed(page: Page, executed: Path, study: Study, parameters: dict, root: Path) -> StagedPage:
    """Stage one executed page with its run description."""
    run = run_description(page, parameters, study, code_version(root))
    badges = read_badges(load_project(root), study, root / "_build" / "executed")
    return stage_page(page, executed, codebook=study.codebook, run=run, badges=badges)


def write_stage(project: Project, study: Study, parameters: dict[str, dict], stage: Path) -> None:
    """Write the project that a renderer typesets, with its downloads, in place of the last one."""
    new = stage.with_name("project.new")
    shutil.rmtree(new, ignore_errors=True)
    (new / "downloads").mkdir(parents=True)
    tables = []
    for page in project.pages:
        executed = project.root / "_build" / "executed" / f"{page.name}.ipynb"
        staged = stage_executed(page, executed, study, parameters[page.name], project.root)
        target = new / page.target
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(staged.notebook, target)
        tables.append(_write_downloads(page, staged.marks, new / "downloads"))
        write_filters(staged.marks, page.name, new)
    published = pd.concat(tables) if tables else pd.DataFrame(columns=ESTIMATE_COLUMNS)
    published.to_csv(new / "downloads" / "estimates.csv", index=False)
    _copy_plain_files(project, new)
    quarto = project.quarto | {"synthetic": study.codebook.synthetic, "execute": {"enabled": False}}
    (new / "_quarto.yml").write_text(yaml.safe_dump(quarto, sort_keys=False, allow_unicode=True), "utf-8")
    shutil.rmtree(stage, ignore_errors=True)
    new.rename(stage)


def _write_downloads(page: Page, marks: list[dict], folder: Path) -> pd.DataFrame:
    """One CSV for each figure or table of a page; returns all the page's rows, named by page."""
    for mark in marks:
        if mark["rows"] and mark["label"]:
            table = pd.DataFrame(mark["rows"], columns=list(ESTIMATE_COLUMNS))
            table.to_csv(folder / f"{page.name}-{mark['label']}.csv", index=False)
    rows = published_rows(marks).values()
    table = pd.DataFrame(rows, columns=list(ESTIMATE_COLUMNS))
    return table.assign(row_id=page.name + ":" + table["row_id"])


def _copy_plain_files(project: Project, stage: Path) -> None:
    """Markdown pages and the bibliography come along as they are."""
    from lib.report.project import listed_pages

    plain = [path for path in listed_pages(project.quarto) if not path.endswith(".ipynb")]
    bibliography = project.quarto.get("bibliography") or []
    for name in [*plain, *([bibliography] if isinstance(bibliography, str) else bibliography)]:
        source = project.root / name
        if not source.is_file():
            raise BuildError(f"_quarto.yml names {name}, which does not exist; add the file or take it out")
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, stage / name)
