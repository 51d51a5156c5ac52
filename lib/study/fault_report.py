"""Show the faults of a study folder: a table on the screen, a small HTML page for a colleague."""

from __future__ import annotations

from html import escape
from pathlib import Path

from lib.study.faults import Fault, refusing

HEADS = ("Severity", "File", "Column", "Rule", "Count", "What was found", "What to do")
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#222;background:#fff}}
table{{border-collapse:collapse;width:100%}}th,td{{border-bottom:1px solid #ccc;padding:.4rem .6rem;text-align:left;
vertical-align:top;overflow-wrap:anywhere}}td:nth-child(5){{text-align:right}}.scroll{{overflow-x:auto}}</style></head>
<body><h1>{title}</h1><p>{summary}</p>{table}</body></html>
"""


def summary(faults: list[Fault]) -> str:
    """One sentence: how many faults, how many of them keep the report from running."""
    wrong, warned = len(refusing(faults)), len(faults) - len(refusing(faults))
    if not faults:
        return "The study keeps its codebook: 0 faults."
    stop = (
        f"{wrong} {'fault keeps' if wrong == 1 else 'faults keep'} the report from running"
        if wrong
        else "0 faults"
    )
    return f"{stop}, {warned} {'warning' if warned == 1 else 'warnings'}."


def print_faults(faults: list[Fault], *, console=None) -> None:
    """Print the faults as one table, most serious first as given, then the summary sentence.

    Parameters
    ----------
    faults : list of Fault
        As ``check_study`` returns them.
    console : rich.console.Console, optional
        Where to print; standard output without it.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console()
    if faults:
        table = Table(show_lines=True)
        for head in HEADS:
            table.add_column(head, justify="right" if head == "Count" else "left", overflow="fold")
        for fault in faults:
            table.add_row(*(Text(cell) for cell in _cells(fault)))
        console.print(table)
    console.print(Text(summary(faults)))


def fault_page(faults: list[Fault], *, title: str) -> str:
    """The faults as one self-contained HTML page without scripts."""
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(fault))}</tr>" for fault in faults
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    table = f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    return PAGE.format(title=escape(title), summary=summary(faults), table=table if faults else "")


def write_fault_page(faults: list[Fault], path: str | Path, *, title: str) -> Path:
    """Write ``fault_page`` to a file and return its path."""
    path = Path(path)
    path.write_text(fault_page(faults, title=title), encoding="utf-8")
    return path


def _cells(fault: Fault) -> tuple[str, ...]:
    return (
        fault.severity,
        fault.file,
        fault.column,
        fault.rule,
        str(fault.count),
        fault.message,
        fault.remedy,
    )
