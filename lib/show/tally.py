"""Which findings a study decides, and how many got each verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib.analysis.findings import VERDICTS, Verdict
from lib.errors import ShowError
from lib.show.facts import fact_html
from lib.show.prose import Words
from lib.study.load import Study

__all__ = ["Tally", "key_findings", "supporting_claims", "tally"]


class Tally(Words):
    """How many findings got each verdict, as fields of a template: ``{tally.holds}``, ``{tally.n:words}``.

    Fields are the keys of ``VERDICTS``, ``held`` (with a test or descriptively), ``changed`` (by correction for multiple
    tests) and ``n``.
    """

    rows = ()

    def __init__(self, verdicts: Sequence[Verdict]):
        self.counts = {name: sum(one.verdict == name for one in verdicts) for name in VERDICTS}
        self.counts |= {
            "held": sum(one.held for one in verdicts),
            "changed": sum(one.changed for one in verdicts),
            "n": len(verdicts),
        }

    def render(self, attribute: str, spec: str) -> str:
        """Markdown of one count."""
        if attribute not in self.counts:
            raise ShowError(f"a tally has {', '.join(self.counts)}, not {attribute!r}")
        return fact_html(self.counts[attribute], "scorecard", spec)


def tally(verdicts: Mapping[str, Verdict], findings: Sequence[str]) -> Tally:
    """Count the verdicts of some findings."""
    return Tally([verdicts[key] for key in findings if key in verdicts])


def key_findings(study: Study) -> tuple[str, ...]:
    """Ids of the key findings that have a rule, in the order of ``findings.yml``."""
    return _listed(study, "key_findings")


def supporting_claims(study: Study) -> tuple[str, ...]:
    """Ids of the supporting claims that have a rule, in the order of ``findings.yml``."""
    return _listed(study, "supporting_claims")


def _listed(study: Study, name: str) -> tuple[str, ...]:
    entries = (study.findings or {}).get(name) or []
    return tuple(entry["id"] for entry in entries if entry["id"] in (study.rules or {}))
