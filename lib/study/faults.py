"""A fault found in a study folder: what, where, how often, and what to do about it.

A fault names file, column, rule and count, never a student's value, id or row (DISCLOSURE.md, D11).
"""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = ("fatal", "error", "warning")


@dataclass(frozen=True)
class Fault:
    """One broken rule.

    ``severity`` is ``fatal`` (nothing further could be read), ``error`` (the study is refused) or
    ``warning`` (the report runs, a chapter may be left out). ``count`` is the number of rows, columns
    or entries concerned.
    """

    severity: str
    file: str
    column: str
    rule: str
    count: int
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}"


def most_serious_first(faults: list[Fault]) -> list[Fault]:
    """Faults ordered by severity, then by how many rows they concern, each once."""
    unique = list(dict.fromkeys(faults))
    return sorted(unique, key=lambda fault: (SEVERITIES.index(fault.severity), -fault.count))


def refusing(faults: list[Fault]) -> list[Fault]:
    """The faults for which a study is refused: all but warnings."""
    return [fault for fault in faults if fault.severity != "warning"]


def fault_text(faults: list[Fault], *, limit: int | None = None) -> str:
    """Faults as lines of plain text, one fault a line, with file, column, rule and count.

    Parameters
    ----------
    faults : list of Fault
        In the order in which they are to be shown.
    limit : int, optional
        Print no more than this many and say how many follow.
    """
    shown = faults if limit is None else faults[:limit]
    lines = [
        f"{fault.severity:<7}  {fault.file}: {fault.message}\n         {fault.remedy}" for fault in shown
    ]
    if len(shown) < len(faults):
        lines.append(f"         and {len(faults) - len(shown)} more; `lwo check` lists them all")
    return "\n".join(lines)
