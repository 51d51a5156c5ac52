"""Released rows whose numbers are known, for the tests of lib.show.

The numbers are those printed in the study where it prints them (peer support 0.69, social comparison
-0.22, social self-efficacy 0.73 and 0.57), the others are set here.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from lib.analysis.estimates import estimates
from lib.disclosure.gate import Released, release
from lib.study.read_codebook import load_codebook

CODEBOOK = load_codebook(Path(__file__).parent.parent / "data")
STUDY = SimpleNamespace(codebook=CODEBOOK, published=None)

CLASSROOM = {
    "env_peer_support": (0.69, 0.65, 0.73),
    "env_microaggression": (0.34, 0.27, 0.41),
    "env_social_comparison": (-0.22, -0.29, -0.15),
    "env_teacher_expect": (0.58, 0.53, 0.63),
    "env_peer_learning": (0.66, 0.62, 0.70),
    "env_teacher_support": (0.55, 0.50, 0.60),
    "env_needs_met": (0.63, 0.58, 0.68),
}


def row(term: str, estimate: float, low: float, high: float, **more) -> dict:
    """One result row with an estimate and its interval."""
    return {
        "model": "direct", "estimator": "ML", "population": "all", "term": term, "estimate": estimate,
        "conf_low": low, "conf_high": high, "p_value": 0.0002, "n_obs": 867, "unit": "SD per SD",
    } | more  # fmt: skip


def classroom(population: str = "all", *, hide: str = "", shift: float = 0.0, n_obs: int = 867) -> Released:
    """Seven classroom scales of one population; one may stand on too few students to be shown."""
    rows = [
        row(
            term, value + shift, low + shift, high + shift, population=population,
            n_obs=6 if term == hide else n_obs,
        )
        for term, (value, low, high) in CLASSROOM.items()
    ]  # fmt: skip
    return release(estimates(rows), STUDY)


def released(*rows: dict) -> Released:
    """Rows through the gate."""
    return release(estimates(list(rows)), STUDY)


def mediation(*, mediator: str = "personalization", hide: str = "", population: str = "all") -> Released:
    """Two outcomes before and after one mediator; c, c' and a are set, and indirect = c - c' = a * b."""
    rows = []
    for term, (before, direct) in {"ms_social_se": (0.61, 0.33), "ms_mastery": (0.48, 0.24)}.items():
        a, indirect = 0.64, before - direct
        quantities = {"before": before, "direct": direct, "a": a, "b": indirect / a, "indirect": indirect}
        quantities |= {"total": before, "share_explained": 100 * indirect / before}
        for contrast, value in quantities.items():
            half, unit = (8, "percent") if contrast == "share_explained" else (0.05, "SD per SD")
            few = term == hide and contrast != "before"
            rows.append(
                row(
                    term, value, value - half, value + half, contrast=contrast, unit=unit, population=population,
                    model=f"mediation by {mediator}", n_obs=6 if few else 867,
                )
            )  # fmt: skip
    return released(*rows)
