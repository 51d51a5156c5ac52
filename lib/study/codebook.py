"""The codebook: the only description of a study's data.

Everything the report knows about a study's columns, scales, populations and settings is
read from ``codebook.yml`` into these frozen objects. Nothing in ``lib`` names a construct,
a group or a school of a particular study; it asks the codebook by role.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

from lib.errors import StudyError

# What the words of a verdict mean where a codebook does not say otherwise: fractions, SD, or points as named.
THRESHOLDS = {
    "alpha": 0.05,
    "strong_min": 0.4,
    "weak_max": 0.2,
    "similar_tol": 0.1,
    "half_tol": 0.1,
    "several_min": 2.0,
    "full_min": 90.0,
    "nearly_all_min": 0.8,
    "majority": 0.5,
    "sesoi": 0.1,
    "sesoi_points": 5.0,
    "loading_min": 0.4,
}


@dataclass(frozen=True)
class FileSpec:
    """Where one of a study's tables lies and how its text is written.

    ``path`` is relative to the study folder: a CSV or Parquet file, or a folder of Parquet parts.
    ``delimiter``, ``encoding`` and ``decimal`` matter for CSV only.
    """

    kind: str
    path: str
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."


@dataclass(frozen=True)
class Column:
    """One column: what was asked, which values it may hold, what stands for a missing answer."""

    key: str
    label: str
    question: str = ""
    type: str = "text"
    role: str = "covariate"
    levels: dict[str, str] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    missing_codes: tuple = ()
    files: tuple[str, ...] = ("students",)

    @property
    def file(self) -> str:
        """Kind of the first file that holds the column, such as ``students``."""
        return self.files[0]


@dataclass(frozen=True)
class Scale:
    """A scale score: the mean of its items after reversal, NaN under ``min_answered`` answers.

    ``sign`` is the direction expected with the exposure (+1 or -1); ``low`` and ``high`` are the
    ends of the response scale; ``counterpart`` names the student scale that a teacher scale mirrors.
    """

    key: str
    label: str
    definition: str = ""
    role: str = "exposure"
    domain: str = ""
    items: tuple[str, ...] = ()
    reversed: tuple[str, ...] = ()
    min_answered: int = 1
    low: float = 1.0
    high: float = 4.0
    sign: int = 1
    file: str = "students"
    counterpart: str = ""


@dataclass(frozen=True)
class Domain:
    """A group of scales that are reported together; its score is the mean of its scales' scores."""

    key: str
    label: str
    role: str
    scales: tuple[str, ...] = ()


@dataclass(frozen=True)
class PopulationRule:
    """A named population: the survey respondents for whom every column holds one of the levels given."""

    label: str
    where: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class DisclosureSettings:
    """The numbers of the disclosure rules D1 to D17; the defaults are the project's.

    ``percent_coding`` holds pairs (smallest n, percent points coded at each end), largest n first.
    ``filter_columns`` may be combined, ``filter_alone`` only alone or with one of the columns given.
    """

    k: int = 10
    m: int = 3
    complementary: bool = True
    percent_coding: tuple[tuple[int, int], ...] = ((300, 1), (100, 2), (40, 5), (20, 10), (10, 20))
    differencing_columns: int = 3
    latent_min_n: int = 100
    latent_n_per_parameter: float = 2.0
    min_clusters: int = 3
    max_cluster_share: float = 0.8
    caution_n: int = 62
    round_n: int = 10
    decimals: int = 3
    max_filters: int = 3
    filter_columns: tuple[str, ...] = ()
    filter_alone: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Codebook:
    """Description of a study, as read from ``codebook.yml``.

    ``exposure`` is the key and label of the latent that the scales with role ``exposure``
    measure; ``respondents`` tells a survey answer from a record without one. ``theme_sets`` are themes of the
    coded remarks that are read together, ``theme_within`` a theme that is counted among those who name another.
    """

    title: str
    citation: str
    licence: str
    synthetic: bool
    files: dict[str, FileSpec]
    columns: dict[str, Column]
    scales: dict[str, Scale]
    domains: dict[str, Domain]
    populations: dict[str, PopulationRule]
    focal: str
    reference: str
    covariate_sets: dict[str, tuple[str, ...]]
    thresholds: dict[str, float]
    disclosure: DisclosureSettings
    mediators: tuple[str, ...]
    exposure: tuple[str, str]
    respondents: dict[str, tuple[str, ...]]
    themes: dict[str, str] = field(default_factory=dict)
    theme_sets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    theme_within: dict[str, str] = field(default_factory=dict)

    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """Keys of the columns with role ``outcome``, in the codebook's order."""
        return tuple(key for key, column in self.columns.items() if column.role == "outcome")

    @cached_property
    def cluster(self) -> str:
        """Key of the students' cluster column (a class), or ``""`` where there is none."""
        return next(
            (key for key, column in self.columns_of("students").items() if column.role == "cluster"), ""
        )

    def scales_with(self, role: str) -> tuple[Scale, ...]:
        """Scales that play a role in the argument, in the codebook's order."""
        return tuple(scale for scale in self.scales.values() if scale.role == role)

    def columns_of(self, kind: str) -> dict[str, Column]:
        """Columns of one file, such as ``students``, by key."""
        return {key: column for key, column in self.columns.items() if kind in column.files}

    def label(self, key: str) -> str:
        """Words for a scale, domain, latent, column, level (``race=black``, ``race=a|b`` together), population or theme.

        Raises
        ------
        StudyError
            If the codebook has no such key; the message names the nearest one.
        """
        column, _, level = key.partition("=")
        if level and column in self.columns:
            levels = self.columns[column].levels
            if level in levels:
                return levels[level]
            if "|" in level:
                return ", ".join(self.label(f"{column}={one}") for one in level.split("|")) + " together"
            raise StudyError(
                f"column {column!r} has no level {level!r} in codebook.yml{nearest(level, levels)}"
            )
        if key == self.exposure[0]:
            return self.exposure[1]
        for entries in (self.scales, self.domains, self.columns, self.populations):
            if key in entries:
                return entries[key].label
        if key in self.themes:
            return self.themes[key]
        known = [*self.scales, *self.domains, *self.columns, *self.populations, *self.themes]
        raise StudyError(f"codebook.yml has no entry {key!r}{nearest(key, known)}")


def nearest(name: str, known) -> str:
    """``"; did you mean 'x'?"`` for the known name nearest to a wrong one, or the names there are."""
    names = [str(one) for one in known]
    close = get_close_matches(str(name), names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; it knows {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}" if names else ""
