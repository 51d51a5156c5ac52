"""Specifications: defensible ways to reach one result, crossed (Simonsohn, Simmons & Nelson, 2020; Steegen et al., 2016).

A study folder may hold ``specifications.yml``: choices with their options, families of findings that share choices,
and the selection of each finding's rule that its curve draws. This module reads and checks the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lib.errors import StudyError
from lib.study.codebook import Codebook, nearest
from lib.study.load import Study

LEDGER = "specifications"
MOVES = ("estimate", "error")
SETTINGS = {
    "set": str, "columns": list, "measure": str, "missing": str, "score": str, "record": str, "mediator": str,
    "grain": str, "drop": str, "percent": (int, float), "against": str, "errors": str, "each": str, "without": list,
}  # fmt: skip
KNOWN = {
    "measure": ("latent", "mean"), "missing": ("two_stage", "complete"), "grain": ("domain", "first", "last"),
    "score": ("mean", "first", "second", "corrected", "high"), "record": ("raw", "winsorized", "ranked"),
    "mediator": ("score", "corrected"), "against": ("reference", "others"), "errors": ("model", "classes"),
    "drop": ("least_varied",),
}  # fmt: skip


@dataclass(frozen=True)
class Option:
    """One way to decide a choice; ``settings`` say what it does, ``label`` and ``reason`` why one might."""

    key: str
    label: str
    reason: str
    settings: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """A decision with its options, the chapters' own first; ``moves`` is ``estimate`` or ``error``."""

    key: str
    label: str
    moves: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Curve:
    """A finding's family, the selection of its rule that its curve draws, and the direction it states for a difference."""

    family: str
    selection: str
    sign: int = 1


@dataclass(frozen=True)
class Plan:
    """Content of ``specifications.yml``: ``drawn`` specifications are estimated for each family, of
    which ``tested`` take part in the joint test; ``sets`` are the
    chapters' covariate sets for a ``scale`` and for a ``record``."""

    seed: int
    drawn: int
    permutations: int
    tested: int
    sets: dict[str, str]
    choices: dict[str, Choice]
    families: dict[str, tuple[str, ...]]
    findings: dict[str, Curve]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that some option holds constant."""
        options = (option for choice in self.choices.values() for option in choice.options)
        return tuple(dict.fromkeys(key for option in options for key in option.settings.get("columns", ())))

    def moving(self, family: str, moves: str = "estimate") -> tuple[Choice, ...]:
        """Choices of a family that move the estimate, or the error alone."""
        found = (self.choices[key] for key in self.families[family])
        return tuple(choice for choice in found if choice.moves == moves)


def read_plan(study: Study) -> Plan | None:
    """The plan of a study folder; None where it has no ``specifications.yml``.

    Raises
    ------
    StudyError
        If an entry names a choice, column, setting or family that does not exist, or lacks a label or reason.
    """
    content = study.ledger(LEDGER)
    if content is None:
        return None
    _only(
        content,
        ("seed", "drawn", "permutations", "tested", "sets", "choices", "families", "findings"),
        LEDGER,
    )
    for name in ("seed", "drawn", "permutations", "tested"):
        if not isinstance(content.get(name), int) or content[name] < 1:
            raise StudyError(f"{LEDGER}.yml: {name} is no whole number above 0; give one")
    sets = content.get("sets", {})
    for kind in ("scale", "record"):
        _known(sets.get(kind), study.codebook.covariate_sets, f"sets, {kind}", "covariate set")
    choices = {key: _choice(key, entry, study.codebook) for key, entry in content.get("choices", {}).items()}
    families = {key: tuple(names) for key, names in content.get("families", {}).items()}
    for family, names in families.items():
        for name in names:
            _known(name, choices, f"family {family}", "choice")
    findings = {}
    for key, entry in content.get("findings", {}).items():
        _only(entry, ("family", "curve", "sign"), f"finding {key}")
        _known(entry.get("family"), families, f"finding {key}", "family")
        findings[str(key)] = Curve(entry["family"], str(entry.get("curve", "")), int(entry.get("sign", 1)))
    return Plan(
        content["seed"],
        content["drawn"],
        content["permutations"],
        content["tested"],
        sets,
        choices,
        families,
        findings,
    )


def _choice(key: str, entry: dict, codebook: Codebook) -> Choice:
    where = f"choice {key}"
    _only(entry, ("label", "moves", "options"), where)
    _known(entry.get("moves"), MOVES, where, "kind of move")
    options = [option for name, given in entry.get("options", {}).items()
               for option in _expand(_option(name, given, where), codebook, where)]  # fmt: skip
    if len(options) < 2 or not entry.get("label"):
        raise StudyError(f"{LEDGER}.yml, {where}: a choice needs a label and at least 2 options")
    return Choice(key, entry["label"], entry["moves"], tuple(options))


def _option(key: str, given: dict, where: str) -> Option:
    where = f"{where}, option {key}"
    for needed in ("label", "reason"):
        if not given.get(needed):
            raise StudyError(
                f"{LEDGER}.yml, {where} has no {needed}; every option says why one might take it"
            )
    settings = {name: value for name, value in given.items() if name not in ("label", "reason")}
    for name, value in settings.items():
        _known(name, SETTINGS, where, "setting")
        if not isinstance(value, SETTINGS[name]):
            raise StudyError(f"{LEDGER}.yml, {where}: {name} is of the wrong kind")
        if name in KNOWN:
            _known(value, KNOWN[name], where, name)
    return Option(str(key), given["label"], given["reason"], settings)


def _expand(option: Option, codebook: Codebook, where: str) -> list[Option]:
    """One option for each domain or scale of the exposure, or each level of a column; else the option itself."""
    settings = dict(option.settings)
    each = settings.pop("each", "")
    if settings.get("set") not in (None, "default"):
        _known(settings["set"], codebook.covariate_sets, where, "covariate set")
    for column in settings.get("columns", ()):
        _known(column, codebook.columns, where, "column")
    if not each:
        return [option]
    if each == "exposure_domain":
        named = {
            key: {"domain": key} for key, domain in codebook.domains.items() if domain.role == "exposure"
        }
    elif each == "exposure_scale":
        named = {scale.key: {"left_out": scale.key} for scale in codebook.scales_with("exposure")}
    else:
        _known(each, codebook.columns, where, "column")
        named = {f"{each}={level}": {"without": (each, level)} for level in codebook.columns[each].levels}
    return [
        replace(option, key=key, label=f"{option.label}: {codebook.label(key)}", settings=settings | extra)
        for key, extra in named.items()
    ]


def _only(entry: dict, allowed: tuple[str, ...], where: str) -> None:
    for name in entry:
        _known(name, allowed, where, "entry")


def _known(name: object, known, where: str, what: str) -> None:
    if name not in known:
        raise StudyError(f"{LEDGER}.yml, {where}: there is no {what} {name!r}{nearest(str(name), known)}")
