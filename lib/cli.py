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
@click.option(
    "--release", default="", metavar="NAME", help="Enter the build into the study's ledger of releases."
)
@click.pass_obj
def build(
    obj: dict,
    study: Path | None,
    out: Path,
    only: tuple[str, ...],
    renderer: str,
    jobs: int | None,
    release: str,
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
            release=release,
            progress=progress,
            debug=obj["debug"],
        )
    click.echo(f"{len(built.ran)} pages run, {len(built.reused)} as before; {built.renderer} renderer")
    if release:
        click.echo(f"releases/{release}.json written beside the study; keep it under version control")
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


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write a commented codebook.yml beside the tables of a FOLDER; what it guesses is marked."""
    from lib.study.init import init_study

    path = init_study(folder)
    click.echo(f"{path} written; correct what is marked as a guess, then run: lwo check {folder}")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--n", "students", type=click.IntRange(1), help="Students (default: as many as the study had).")
@click.option("--seed", type=int, required=True, help="Of every draw.")
@click.option("--null", is_flag=True, help="No association and no difference anywhere.")
@click.option("--plant", metavar="FINDING", help="With --null: keep what one finding needs, such as 1a-1.")
@click.option("--parts", is_flag=True, help="Students as Parquet parts, for studies of up to 10 million.")
@click.option("--population", type=click.Path(path_type=Path), default="data", show_default=True,
              help="Folder with the population.yml and codebook.yml to draw from.")  # fmt: skip
def simulate(
    folder: Path,
    students: int | None,
    seed: int,
    null: bool,
    plant: str | None,
    parts: bool,
    population: Path,
) -> None:
    """Draw a synthetic study from a population into a new FOLDER."""
    from lib.study import simulate as draw
    from lib.study.simulate_parts import simulate_parts

    if parts:
        if students is None or plant:
            raise click.UsageError("--parts needs --n and takes no --plant")
        simulate_parts(population, folder, n=students, seed=seed, null=null)
    else:
        drawn = draw.simulate(population, n=students, seed=seed, null=null, plant=plant)
        draw.write_study(drawn, folder, source=population)
    click.echo(f"{folder} written; build it with: lwo build --study {folder} --out {folder.name}-site")


@main.command()
@click.argument("site", type=click.Path(path_type=Path), default=Path("_site"))
@click.option("--study", type=click.Path(path_type=Path), help="Look for this study's records too.")
@click.option("--json", "report", type=click.Path(path_type=Path), help="Write the leaks to this file.")
def audit(site: Path, study: Path | None, report: Path | None) -> None:
    """Attack a finished SITE: is any student to be found in any published byte?"""
    import dataclasses
    import json

    from lib.disclosure.audit import audit_site
    from lib.study.load import load_study

    leaks = audit_site(site, study=load_study(study) if study else None)
    if report:
        report.write_text(json.dumps([dataclasses.asdict(leak) for leak in leaks], indent=2) + "\n", "utf-8")
    for leak in leaks:
        click.echo(f"{leak.kind}: {leak.file}, {leak.place}: {leak.message}")
    click.echo(f"{len(leaks)} leaks found in {site}")
    sys.exit(1 if leaks else 0)


@main.command()
@click.option("--study", type=click.Path(path_type=Path), help=STUDY_HELP)
@click.option("--port", type=int, default=8765, show_default=True)
@click.pass_obj
def preview(obj: dict, study: Path | None, port: int) -> None:
    """Serve the site on this machine; rebuild and reload when a chapter, lib or the data change."""
    from lib.report.preview import serve

    serve(study=study, port=port, say=click.echo, debug=obj["debug"])


if __name__ == "__main__":
    main()
