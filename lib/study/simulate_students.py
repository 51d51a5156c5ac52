"""Simulate what students think and earn: latent scores by linear paths, then four-point answers.

Every latent has unit variance within groups. For a construct y with total path c from the
exposure x, y = c x + sqrt(1 - c^2) q, where the residuals q of mind-sets are linear in those of the
classroom scales; so a change of a link never moves a total.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.study.codebook import Codebook, Scale
from lib.study.simulate_roster import has_level


def simulate_students(
    roster: pd.DataFrame, population: dict, codebook: Codebook, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Complete answers and records of the students of a roster, in the codebook's columns."""
    groups = group_of(roster, codebook)
    latent = _exposure(roster, population, groups, rng)
    true = _constructs(roster, latent, population, codebook, groups, rng)
    students = roster.copy()
    answers = {}
    for scale in codebook.scales.values():
        if scale.file == "students":
            answers |= _items(true[scale.key], scale, population["scores"], groups, rng)
    records = _records(roster, latent, true, population, groups, rng)
    answered = _survey_answers(roster, population["answers"], rng)
    students = pd.concat(
        [students, pd.DataFrame(answers), pd.DataFrame(records), pd.DataFrame(answered)], axis=1
    )
    return students[[key for key in codebook.columns_of("students")]]


def group_of(roster: pd.DataFrame, codebook: Codebook) -> np.ndarray:
    """``focal``, ``reference`` or ``rest`` for each student, by the codebook's populations."""
    groups = np.full(len(roster), "rest", dtype=object)
    for name, key in (("focal", codebook.focal), ("reference", codebook.reference)):
        inside = np.ones(len(roster), dtype=bool)
        for column, levels in codebook.populations[key].where.items():
            inside &= roster[column].isin(levels).to_numpy()
        groups[inside] = name
    return groups


def class_effect(classes: pd.Series, share: float, rng: np.random.Generator) -> np.ndarray:
    """One normal value per class with variance ``share``, at each student."""
    codes, names = pd.factorize(classes)
    return np.sqrt(share) * rng.standard_normal(len(names))[codes]


def _exposure(
    roster: pd.DataFrame, population: dict, groups: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Latent quality of collaboration, unit variance within groups."""
    spec = population["exposure"]
    share = spec["class_icc"]
    score = class_effect(roster["class_id"], share, rng) + np.sqrt(1 - share) * rng.standard_normal(
        len(roster)
    )
    for name, size in spec["covariates"].items():
        score = score + size * has_level(roster, name)
    return score


def _constructs(
    roster: pd.DataFrame, latent: np.ndarray, population: dict, codebook: Codebook, groups: np.ndarray, rng
) -> dict[str, np.ndarray]:
    """True score of every student scale."""
    n, paths = len(roster), population["paths"]
    true = _subscales(roster, latent, population["exposure"], codebook, groups, rng)
    for scale in codebook.scales_with("set_aside"):
        true[scale.key] = _along(latent, paths["total"][scale.key], rng.standard_normal(n))
    environment, mindsets = codebook.scales_with("environment"), codebook.scales_with("mindset")
    common, share = rng.standard_normal(n), paths["environment_residual"]
    residual = {
        scale.key: scale.sign * (np.sqrt(share) * common + np.sqrt(1 - share) * rng.standard_normal(n))
        for scale in environment
    }
    common, own_share = rng.standard_normal(n), paths["mindset_residual"]
    for scale in mindsets:
        own = np.sqrt(own_share) * common + np.sqrt(1 - own_share) * rng.standard_normal(n)
        residual[scale.key] = _linked(scale.key, residual, own, paths, environment, groups)
    for scale in (*environment, *mindsets):
        total = by_group(paths, "total", scale.key, groups)
        shift = by_group(population["scores"], "shift", scale.key, groups)
        true[scale.key] = _along(latent, total, residual[scale.key]) + shift
        true[f"residual:{scale.key}"] = residual[scale.key]
    return true


def _subscales(roster, latent, spec, codebook, groups, rng) -> dict[str, np.ndarray]:
    """True scores of the exposure's scales: loading, group and subject shift, slight domain variance."""
    true, common = {}, {}
    for scale in codebook.scales_with("exposure"):
        loading, share = spec["loadings"][scale.key], spec["domain_residual"]
        common.setdefault(scale.domain, rng.standard_normal(len(roster)))
        own = np.sqrt(share) * common[scale.domain] + np.sqrt(1 - share) * rng.standard_normal(len(roster))
        shift = by_group(spec, "shift", scale.key, groups)
        for subject, shifts in spec["subject_shift"].items():
            shift = shift + shifts.get(scale.key, 0.0) * (roster["subject"] == subject).to_numpy()
        true[scale.key] = loading * latent + np.sqrt(1 - loading**2) * own + shift
    return true


def by_group(spec: dict, name: str, key: str, groups: np.ndarray) -> np.ndarray:
    """A parameter at each student: its value in ``name``, replaced where ``<name>_by_group`` has the group."""
    result = np.full(len(groups), spec.get(name, {}).get(key, 0.0), dtype=float)
    for group, values in spec.get(f"{name}_by_group", {}).items():
        if key in values:
            result[groups == group] = values[key]
    return result


def _along(latent: np.ndarray, total, residual: np.ndarray) -> np.ndarray:
    return total * latent + np.sqrt(1 - np.square(total)) * residual


def _linked(
    key: str, residual: dict, own: np.ndarray, paths: dict, sources: tuple[Scale, ...], groups
) -> np.ndarray:
    """Residual of a mind-set: its links to the classroom residuals, the rest its own, unit variance."""
    result = own.copy()
    for group in np.unique(groups):
        rows = groups == group
        links = dict(paths["residual_links"].get(key, {}))
        links |= paths.get("residual_links_by_group", {}).get(group, {}).get(key, {})
        weights = np.array([links.get(scale.key, 0.0) for scale in sources])
        signs = np.array([scale.sign for scale in sources])
        share = paths["environment_residual"]
        correlation = share * np.outer(signs, signs) + (1 - share) * np.eye(len(sources))
        explained = float(weights @ correlation @ weights)
        part = sum(weight * residual[scale.key][rows] for weight, scale in zip(weights, sources, strict=True))
        result[rows] = part + np.sqrt(max(1 - explained, 0.0)) * own[rows]
    return result


def _items(true: np.ndarray, scale: Scale, spec: dict, groups: np.ndarray, rng) -> dict[str, np.ndarray]:
    """Answers on the scale's points: a normal response cut at the population's cut points."""
    location = spec.get("location", {}).get(scale.key, 0.0)
    odd = spec.get("exclusion_item", {})
    offsets = spec["item_spread"] * np.linspace(-1, 1, len(scale.items))
    answers = {}
    for item, offset in zip(scale.items, offsets, strict=True):
        loading, shift = np.full(len(true), spec["item_loading"]), np.full(len(true), location - offset)
        if item == odd.get("item"):
            rows = groups == odd["group"]
            loading[rows], shift[rows] = odd["loading"], shift[rows] + odd["shift"]
        response = loading * true + np.sqrt(1 - loading**2) * rng.standard_normal(len(true)) + shift
        answer = scale.low + np.searchsorted(spec["cuts"], response)
        answers[item] = scale.low + scale.high - answer if item in scale.reversed else answer
    return answers


def _records(roster, latent, true, population, groups, rng) -> dict[str, np.ndarray]:
    """Grades and absences of this year and the year before."""
    paths, scores, n = population["paths"], population["scores"], len(roster)
    toward = paths["exposure_prior"]
    prior = toward * latent + np.sqrt(1 - toward**2) * rng.standard_normal(n)
    total = by_group(paths, "total", "grade_math_or_ela", groups)
    mindsets = np.zeros(n)
    for key in paths["grade_links"]:
        mindsets += by_group(paths, "grade_links", key, groups) * true[f"residual:{key}"]
    kept = paths["grade_prior"]
    rest = np.sqrt(max(1 - kept**2 - 0.02 - float(np.var(mindsets)), 0.1))
    current = kept * prior + total * latent + mindsets + rest * rng.standard_normal(n)
    grade = scores["grade"]
    absence, stays = scores["absence"], paths["absence_prior"]
    before = rng.standard_normal(n)
    now = (
        stays * before + paths["total"]["absences"] * latent + np.sqrt(1 - stays**2) * rng.standard_normal(n)
    )
    return {
        "grade_prior": np.clip(np.round(grade["mean"] + grade["sd"] * prior, 1), 0, 100),
        "grade_math_or_ela": np.clip(np.round(grade["mean"] + grade["sd"] * current, 1), 0, 100),
        "absences_prior": _days(before, absence),
        "absences": _days(now, absence),
    }


def _days(score: np.ndarray, spec: dict) -> np.ndarray:
    """Whole days, log-normal with the population's mean and spread."""
    spread = np.sqrt(np.log1p((spec["sd"] / spec["mean"]) ** 2))
    return np.clip(np.round(np.exp(np.log(spec["mean"]) - spread**2 / 2 + spread * score)), 0, 180).astype(
        int
    )


def _survey_answers(roster, spec, rng) -> dict[str, np.ndarray]:
    """How often and how long students work together: class effect, school and subject shifts, cut points."""
    answers = {}
    for key, entry in spec.items():
        share = entry["class_icc"]
        score = class_effect(roster["class_id"], share, rng) + np.sqrt(1 - share) * rng.standard_normal(
            len(roster)
        )
        for column in ("school", "subject"):
            score = score + roster[column].map(entry.get(column, {})).fillna(0.0).to_numpy(float)
        answers[key] = 1 + np.searchsorted(entry["cuts"], score)
    return answers
