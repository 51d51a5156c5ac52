"""What a person sees while chapters run: one bar per chapter, or one line each where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def chapter_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function to call with page name, cells done and cells in all."""
    if not sys.stderr.isatty():
        yield _line_per_chapter()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def progress(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield progress


def _line_per_chapter() -> Callable[[str, int, int], None]:
    started: dict[str, float] = {}

    def progress(name: str, done: int, total: int) -> None:
        started.setdefault(name, time.monotonic())
        if done == total:
            print(
                f"{name}: {total} cells, {time.monotonic() - started[name]:.1f} s",
                file=sys.stderr,
                flush=True,
            )

    return progress
