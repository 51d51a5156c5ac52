"""Columns, students and moments of one specification.

Moments are those of complete answers or, in two stages (Yuan & Bentler, 2000), maximum-likelihood moments of every
answer, found by EM. Standard errors of the second count the students with complete answers, so they are not too
small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from lib.analysis.design import design
from lib.analysis.specifications import Plan
from lib.analysis.specified_scores import em_moments, treated
from lib.analysis.specified_sums import Sums, Table
from lib.sem.reliability import alpha
from lib.study.load import Study, reversed_items

HIGH_ANSWER = 0.5
"""An answer is high above this share of the way from the lowest to the highest point."""

OTHERS, EITHER, EVERYONE = "others", "either", "everyone"
"""Populations beyond the codebook's: all but the focal group; the two groups compared together; all, compared."""

GROUP = "group"
"""The column that tells the focal group from the other, where two are compared."""


@dataclass
class Columns:
    """Columns of the students' table as specifications ask for them; what was made once is kept."""

    study: Study
    plan: Plan
    made: dict = field(default_factory=dict, repr=False)

    def once(self, key: tuple, make):
        """The object made for a key, made at its first use."""
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    def forget(self, *kinds: str) -> None:
        """Drop what is large and of no use to another family."""
        self.made = {key: made for key, made in self.made.items() if key[0] not in kinds}

    def students(self, population: str) -> pd.DataFrame:
        """Students of a population of the codebook, of ``others``, ``either`` or ``everyone``."""
        return self.once(("students", population), lambda: self._students(population))

    def _students(self, population: str) -> pd.DataFrame:
        book = self.study.codebook
        if population not in (OTHERS, EITHER):
            return self.study.population("all" if population == EVERYONE else population).frame
        whole = self.study.population("all").frame
        focal = self._belongs(whole, book.focal)
        return whole[~focal] if population == OTHERS else whole[focal | self._belongs(whole, book.reference)]

    def _belongs(self, frame: pd.DataFrame, population: str) -> np.ndarray:
        """Which students (n,) of a frame are in a population of the codebook."""
        identity = next(
            key for key, column in self.study.codebook.columns_of("students").items() if column.role == "id"
        )
        return frame[identity].isin(self.study.population(population).frame[identity]).to_numpy()

    def kept(self, population: str, settings: dict) -> np.ndarray:
        """Students (n,) of bool that a specification keeps."""
        return self.once(("kept", population, sample_of(settings)), lambda: self._kept(population, settings))

    def _kept(self, population: str, settings: dict) -> np.ndarray:
        frame = self.students(population)
        keep = np.ones(len(frame), bool)
        if "without" in settings:
            column, level = settings["without"]
            keep &= (frame[column].astype(object) != level).to_numpy()
        if settings.get("drop") == "least_varied":
            items = [item for role in ("exposure", "environment", "mindset")
                     for scale in self.study.codebook.scales_with(role) for item in scale.items]  # fmt: skip
            spread = frame[items].std(axis=1)
            keep &= ~(spread < spread.quantile(settings.get("percent", 0) / 100)).to_numpy()
        return keep

    def covariates(self, population: str, settings: dict) -> pd.DataFrame:
        """Every covariate column that some specification of these students may hold."""
        key = ("covariates", population, sample_of(settings))
        return self.once(key, lambda: self._covariates(population, settings))

    def _covariates(self, population: str, settings: dict) -> pd.DataFrame:
        book = self.study.codebook
        keys = [*(key for keys in book.covariate_sets.values() for key in keys), *self.plan.columns]
        apart = book.populations[book.focal].where if population in (EITHER, EVERYONE) else ()
        every = replace(
            book, covariate_sets={"every": tuple(key for key in dict.fromkeys(keys) if key not in apart)}
        )
        return design(self.students(population)[self.kept(population, settings)], every, "every").columns

    def held(self, population: str, settings: dict, outcome: str) -> tuple[str, ...]:
        """Names of the covariate columns that a specification holds constant for an outcome."""
        kind = "record" if outcome in self.study.codebook.outcomes else "scale"
        key = (
            "held",
            population,
            sample_of(settings),
            settings.get("set"),
            tuple(settings.get("columns", ())),
            kind,
        )
        return self.once(key, lambda: self._held(population, settings, kind))

    def _held(self, population: str, settings: dict, kind: str) -> tuple[str, ...]:
        keys = list(settings.get("columns", ()))
        if "set" in settings:
            chosen = self.plan.sets[kind] if settings["set"] == "default" else settings["set"]
            keys = [*self.study.codebook.covariate_sets[chosen], *keys]
        known = sorted(self.study.codebook.columns, key=len, reverse=True)
        names = self.covariates(population, settings).columns
        return tuple(name for name in names if _owner(name, known) in keys)

    def scores(self, population: str, settings: dict) -> pd.DataFrame:
        """Scales and records of a population as the specification scores them; exposure scales as always."""
        kind, record = score_of(settings)
        return self.once(("scores", population, kind, record), lambda: self._scores(population, kind, record))

    def _scores(self, population: str, kind: str, record: str) -> pd.DataFrame:
        frame, book = self.students(population), self.study.codebook
        compared = population in (EITHER, EVERYONE)
        scored = {}
        for scale in book.scales_with("exposure"):
            scored[scale.key] = self.rescored(frame, scale, kind if compared else "mean")
        if compared:
            scored[GROUP] = self._belongs(frame, book.focal).astype(float)
        for role in ("environment", "mindset"):
            for scale in book.scales_with(role):
                scored[scale.key] = self.rescored(frame, scale, kind)
        for key in book.outcomes:
            scored[key] = treated(frame[key].astype(float), record)
        return pd.DataFrame(scored).astype(float)

    def rescored(self, frame: pd.DataFrame, scale, kind: str) -> pd.Series:
        """A scale's score from all items, from every other one, or as the share of high answers."""
        if kind == "mean":
            return frame[scale.key]
        items = reversed_items(frame, scale)
        if kind == "high":
            high = (items > scale.low + HIGH_ANSWER * (scale.high - scale.low)).where(items.notna())
            return (scale.low + (scale.high - scale.low) * high.mean(axis=1)).where(frame[scale.key].notna())
        return items.iloc[:, 0 if kind == "first" else 1 :: 2].mean(axis=1)

    def members(self, key: str) -> tuple[str, ...]:
        """Scales behind a key: those of a domain, or the scale or record itself."""
        domain = self.study.codebook.domains.get(key)
        return domain.scales if domain else (key,)

    def reliability(self, population: str, key: str) -> float:
        """Alpha of all items behind a scale or domain in a population; 1 for a record."""
        return self.once(("alpha", population, key), lambda: self._reliability(population, key))

    def _reliability(self, population: str, key: str) -> float:
        scales, frame = self.study.codebook.scales, self.students(population)
        items = [reversed_items(frame, scales[scale]) for scale in self.members(key) if scale in scales]
        table = pd.concat(items, axis=1) if items else pd.DataFrame()
        return alpha(table, list(table)) if items else 1.0

    def indicators(self, settings: dict) -> tuple[str, ...]:
        """Exposure subscales that a specification measures collaboration by."""
        domain, out = settings.get("domain", ""), settings.get("left_out", "")

        def make() -> tuple[str, ...]:
            scales = self.study.codebook.scales_with("exposure")
            return tuple(s.key for s in scales if s.key != out and (not domain or s.domain == domain))

        return self.once(("indicators", domain, out), make)

    def sums(self, population: str, settings: dict, variables: Sequence[str], held: Sequence[str]) -> Sums:
        """Moments of exposure subscales, scales or records, and covariates for one specification.

        A domain is the mean of its scales.
        """
        basic = tuple(dict.fromkeys(one for key in variables for one in self.members(key)))
        table = self._table(population, settings)
        columns = table.places((*basic, *held))
        whole = ~table.missing[:, columns].any(1)
        names, n = (*variables, *held), int(whole.sum())
        matrix = None if basic == tuple(variables) else self._averages(variables, basic, len(held))
        if settings.get("missing") == "two_stage":
            mean, cov = self._stages(population, settings)
            mean, cov = mean[columns], cov[np.ix_(columns, columns)]
            if matrix is not None:
                mean, cov = matrix @ mean, matrix @ cov @ matrix.T
            return Sums(names, n, mean, cov, None, None)
        rows = table.values[np.ix_(whole, columns)]
        rows = rows if matrix is None else rows @ matrix.T
        mean = rows.mean(0)
        centred = rows - mean
        cluster = self.study.codebook.cluster
        classes = self._numbered(population, settings, cluster)[whole] if cluster else None
        return Sums(names, n, mean, centred.T @ centred / n, rows, classes)

    def _averages(self, variables: Sequence[str], basic: Sequence[str], held: int) -> np.ndarray:
        """From scales and covariates to variables, of which domains are the mean of their scales, and covariates."""
        matrix = np.zeros((len(variables) + held, len(basic) + held))
        for row, key in enumerate(variables):
            for one in self.members(key):
                matrix[row, basic.index(one)] = 1 / len(self.members(key))
        matrix[len(variables) :, len(basic) :] = np.eye(held)
        return matrix

    def blocks(
        self, population: str, settings: dict, variables: Sequence[str], held: Sequence[str]
    ) -> np.ndarray:
        """Number (n,) of the school of each complete row: the codebook's column of schools, as its schools are named."""
        basic = dict.fromkeys(one for key in variables for one in self.members(key))
        table = self._table(population, settings)
        whole = ~table.missing[:, table.places((*basic, *held))].any(1)
        column = self.once(("schools",), self._schools)
        return (
            self._numbered(population, settings, column)[whole] if column else np.zeros(int(whole.sum()), int)
        )

    def _schools(self) -> str:
        book = self.study.codebook
        return next((key for key, one in book.columns_of("students").items()
                     if one.role == "group" and key not in book.respondents), "")  # fmt: skip

    def _numbered(self, population: str, settings: dict, column: str) -> np.ndarray:
        """A number for each level of a column, for the students kept."""

        def make() -> np.ndarray:
            values = self.students(population)[column][self.kept(population, settings)]
            return pd.factorize(values, use_na_sentinel=False)[0]

        return self.once(("numbered", population, sample_of(settings), column), make)

    def _table(self, population: str, settings: dict) -> Table:
        """All scores and covariates of the students kept."""

        def make() -> Table:
            scores = self.scores(population, settings)[self.kept(population, settings)]
            table = pd.concat([scores, self.covariates(population, settings)], axis=1)
            values = table.to_numpy(float)
            return Table({name: place for place, name in enumerate(table)}, values, np.isnan(values))

        return self.once(("table", population, sample_of(settings), *score_of(settings)), make)

    def _stages(self, population: str, settings: dict) -> tuple[np.ndarray, np.ndarray]:
        key = ("stages", population, sample_of(settings), *score_of(settings))
        return self.once(key, lambda: em_moments(self._table(population, settings).values))


def sample_of(settings: dict) -> tuple:
    """The part of a specification's settings that chooses students."""
    return tuple(settings.get("without", ())), settings.get("drop", ""), settings.get("percent", 0)


def score_of(settings: dict) -> tuple[str, str]:
    """How scales and records are scored; a score corrected for its reliability is the mean score."""
    score = settings.get("score", "mean")
    return "mean" if score == "corrected" else score, settings.get("record", "raw")


def _owner(name: str, known: list[str]) -> str:
    """The column behind a covariate's name, which may end on a level; ``known`` holds the longest first."""
    return next((key for key in known if name == key or name.startswith(f"{key}_")), "")
