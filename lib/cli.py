"""The command line: ``lwo``.

Exit status: 0 success; 1 the report could not be built; 2 the input is wrong (command line, study folder,
parameters); 130 stopped from the keyboard. Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path

import click

from lib.errors import ReportError

STUDY_HELP = "Study folder with a codebook.yml (default: $LWO_STUDY, else data/)."


class Group(click.Group):
    """Turns the project's own errors into a message and an exit status, without a traceback."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except ReportError as error:
            if ctx.params.get("debug"):
                raise
            click.echo(f"lwo: {error}", err=True)
            ctx.exit(error.exit_status)
        except OSError as error:
            if ctx.params.get("debug"):
                raise
            click.echo(
                f"lwo: {error.strerror or type(error).__name__}: {error.filename or 'no file named'}",
                err=True,
            )
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo("lwo: stopped", err=True)
            ctx.exit(130)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("learning-with-others"), prog_name="lwo")
@click.option("--debug", is_flag=True, help="Show tracebacks, and messages that may quote data.")
@click.pass_context
def main(ctx: click.Context, debug: bool) -> None:
    """Learning with Others, a living report.

    \b
    lwo build                                 the whole report into _site/
    lwo run rq1-relationships -p population=white     one chapter, one HTML page
    lwo check data                            is this study folder in order?

    Exit status: 0 success, 1 the report could not be built, 2 the input is wrong.
    """
    ctx.obj = {"debug": debug}


@main.command()
@click.option("--study", type=click.Path(path_type=Path), help=STUDY_HELP)
@click.option(
    "--out", type=click.Path(path_type=Path), default="_site", show_default=True, help="Site folder."
)
@click.option(
    "--only", multiple=True, metavar="PAGE", help="Run this page anew, with those it needs (repeatable)."
)
@click.option("--renderer", default="auto", show_default=True, help="auto, quarto or embedded.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Chapters at a time (default: one per core).")
@click.pass_obj
def build(
    obj: dict, study: Path | None, out: Path, only: tuple[str, ...], renderer: str, jobs: int | None
) -> None:
    """Run the chapters that are out of date and build the site."""
    from lib.report.build import build as build_report
    from lib.report.progress import chapter_bars

    with chapter_bars() as progress:
        built = build_report(
            study=study,
            out=out,
            only=only,
            renderer=renderer,
            workers=jobs,
            progress=progress,
            debug=obj["debug"],
        )
    click.echo(f"{len(built.ran)} pages run, {len(built.reused)} as before; {built.renderer} renderer")
    click.echo(f"open {os.path.relpath(built.site / 'index.html')}")


@main.command()
@click.argument("chapter")
@click.option(
    "-p", "--parameter", "given", multiple=True, metavar="NAME=VALUE", help="Set a parameter (repeatable)."
)
@click.option("--study", type=click.Path(path_type=Path), help=STUDY_HELP)
@click.option("--out", type=click.Path(path_type=Path), help="HTML file (default: CHAPTER.html here).")
@click.pass_obj
def run(obj: dict, chapter: str, given: tuple[str, ...], study: Path | None, out: Path | None) -> None:
    """Run one CHAPTER (a page or a notebook of chapters/) into one self-contained HTML page."""
    from lib.report.progress import chapter_bars
    from lib.report.single import run_single

    pairs = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"-p takes NAME=VALUE; got {pair!r}")
        pairs[name.strip()] = value
    with chapter_bars() as progress:
        page = run_single(chapter, pairs, study=study, out=out, progress=progress, debug=obj["debug"])
    click.echo(f"open {os.path.relpath(page)}")


@main.command()
@click.argument("chapter")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def params(chapter: str, as_json: bool) -> None:
    """List the parameters of a CHAPTER, with type, default and meaning."""
    import dataclasses
    import json

    from lib.report.parameters import declared_parameters
    from lib.report.single import find_page

    page = find_page(chapter)
    found = declared_parameters(page.notebook)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(parameter) for parameter in found], indent=2))
        return
    rows = [(p.name, p.type, repr(page.parameters.get(p.name, p.default)), p.help) for p in found]
    widths = [max(len(row[i]) for row in [("name", "type", "default", ""), *rows]) for i in range(3)]
    for row in [("name", "type", "default", "meaning"), *rows]:
        click.echo(
            "  ".join(
                [*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]
            ).rstrip()
        )


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("data"))
@click.option("--html", "page", type=click.Path(path_type=Path), help="Write the faults as an HTML page too.")
def check(folder: Path, page: Path | None) -> None:
    """Check a study FOLDER against its codebook."""
    from lib.study.fault_report import print_faults, write_fault_page
    from lib.study.faults import refusing
    from lib.study.validate import check_study

    faults = check_study(folder)
    print_faults(faults)
    if page:
        write_fault_page(faults, page, title=folder.resolve().name)
    sys.exit(2 if refusing(faults) else 0)


if __name__ == "__main__":
    main()
