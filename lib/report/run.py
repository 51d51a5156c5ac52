"""Running chapters: papermill executes each notebook in a kernel of its own.

Chapters run in worker processes, since papermill's working directory is process-wide, and as soon as
the pages they need have finished.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter
from multiprocessing import get_context
from pathlib import Path

from lib.errors import BuildError

# Errors of the code itself: their message names code. Any other message may quote a student's value (D11).
CODE_ERRORS = (
    "NameError",
    "AttributeError",
    "ImportError",
    "ModuleNotFoundError",
    "SyntaxError",
    "TypeError",
)
IOPUB_SECONDS = 300  # nbclient waits 4 s for a cell's last output, too short on a busy machine
ANSI = re.compile(r"\x1b\[[0-9;]*m")
ARROW = re.compile(r"^-+> *\d+ (.*)$", re.M)  # the line of the cell that IPython's traceback points at
REPORT_ERRORS = (
    "ReportError", "StudyError", "ModelError", "DisclosureError", "ShowError", "BuildError",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """One chapter to run: its page, notebook, parameters, where the result goes, and what it waits for.

    ``fitted`` is what is run of the notebook where the study cannot fill all of it.
    """

    name: str
    notebook: Path
    parameters: dict
    output: Path
    needs: tuple[str, ...] = ()
    fitted: Path | None = None


def run_chapters(
    jobs: list[Job],
    *,
    workers: int,
    environment: dict[str, str],
    progress: Callable[[str, int, int], None],
    debug: bool = False,
) -> None:
    """Execute chapters in parallel processes, each after those it needs.

    Parameters
    ----------
    jobs : list of Job
        What to run; a need that is not among them counts as done.
    workers : int
        Chapters at a time.
    environment : dict
        Variables of the kernels, such as the study folder.
    progress : callable
        Called with page name, cells done and cells in all.
    debug : bool
        Whether an error message may quote what a library said of the data.

    Raises
    ------
    BuildError
        If a chapter fails: names chapter, cell and cause. Chapters still running are stopped.
    """
    names = {job.name for job in jobs}
    order = TopologicalSorter({job.name: [need for need in job.needs if need in names] for job in jobs})
    order.prepare()
    by_name = {job.name: job for job in jobs}
    context = get_context("spawn")
    with context.Manager() as manager:
        cells = manager.Queue()
        pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_set_environment, initargs=(environment,)
        )
        try:
            running = {}
            while order.is_active():
                for name in order.get_ready():
                    running[pool.submit(_execute, by_name[name], cells, debug)] = name
                done, _ = wait(running, timeout=0.1, return_when=FIRST_COMPLETED)
                while not cells.empty():
                    progress(*cells.get())
                for future in done:
                    failure = future.result()
                    if failure:
                        raise BuildError(failure)
                    order.done(running.pop(future))
            while not cells.empty():
                progress(*cells.get())
        finally:
            _stop(pool)


def _stop(pool: ProcessPoolExecutor) -> None:
    """Cancel what waits and end the workers that still run, with their kernels."""
    import psutil

    workers = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        if worker.is_alive() and psutil.pid_exists(worker.pid):
            for child in psutil.Process(worker.pid).children(recursive=True):
                child.terminate()
            worker.terminate()


def _set_environment(environment: dict[str, str]) -> None:
    os.environ.update(environment)


def _execute(job: Job, cells, debug: bool) -> str:
    """Run one chapter in this process; returns what went wrong, or an empty string."""
    import logging
    import tempfile

    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.engines import NBClientEngine, papermill_engines
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    logging.getLogger("papermill").setLevel(logging.ERROR)

    class Counting(NBClientEngine):
        """Reports each finished cell, for the progress bar of the chapter."""

        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
            finished, total = nb_man.cell_complete, len(nb_man.nb.cells)

            def cell_complete(cell, cell_index=None, **kw):
                cells.put((job.name, (cell_index or 0) + 1, total))
                return finished(cell, cell_index=cell_index, **kw)

            nb_man.cell_complete = cell_complete
            return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)

    papermill_engines.register("counting", Counting)
    partial = job.output.with_suffix(".running.ipynb")
    # left alone, kernels name their sockets by the working directory, and two at a time would share them
    sockets = tempfile.TemporaryDirectory(prefix="lwo-")
    try:
        papermill.execute_notebook(
            str(job.fitted or job.notebook),
            str(partial),
            parameters=job.parameters,
            engine_name="counting",
            kernel_name="python3",
            progress_bar=False,
            cwd=str(job.notebook.parent),
            iopub_timeout=IOPUB_SECONDS,
            config=Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets.name}/kernel"}}),
        )
    except PapermillExecutionError as error:
        partial.unlink(missing_ok=True)
        return describe_failure(job, error, debug)
    except DeadKernelError:
        partial.unlink(missing_ok=True)
        return f"chapter {job.notebook.name} (page {job.name}): its kernel died; is there memory left?"
    finally:
        sockets.cleanup()
    partial.replace(job.output)
    return ""


def describe_failure(job: Job, error, debug: bool) -> str:
    """Say which chapter failed, in which cell of its notebook, and why.

    A message that may quote the data is withheld unless ``debug`` asks for it (DISCLOSURE.md, D11).
    """
    import nbformat

    source, name, message = error.source, error.ename, error.evalue
    original = nbformat.read(job.notebook, 4).cells
    places = [i + 1 for i, cell in enumerate(original) if cell.source.strip() == source.strip()]
    place = places[0] if places else error.cell_index
    first = next((line for line in source.splitlines() if line.strip() and not line.startswith("#")), "")
    failing = ARROW.search(ANSI.sub("", "\n".join(error.traceback)))
    line = failing[1] if failing and failing[1].strip() in source else first
    if debug or name in CODE_ERRORS or name in REPORT_ERRORS:
        cause = message if name in REPORT_ERRORS else f"{name}: {message}"
    else:
        cause = f"{name}; its message is withheld because it may quote data: to see it, begin the command with lwo --debug"
    return (
        f"chapter {job.notebook.name} (page {job.name}) failed in cell {place}, `{line.strip()}`:\n  {cause}"
    )
