"""The rules that decide a study's findings, as its ``rules.yml`` states them.

A rule selects result rows by the columns of the shared row shape and judges them by short expressions. This
module reads and checks the file: every name an expression uses, every column, key and population a selection
names. How rules are evaluated, and how to write one, is told in ``lib.analysis.findings``.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from lib.errors import StudyError
from lib.study.codebook import Codebook, nearest
from lib.study.faults import fault_text
from lib.study.read_codebook import read_yaml

RULES = "rules.yml"
FUNCTIONS = (
    "p", "p_holm", "p_bh", "low", "high", "n", "sign", "expected", "abs",
    "above_zero", "below_zero", "excludes_zero", "inconsistent", "comparable", "exists",
    "all", "any", "count", "share", "median", "mean", "least", "most", "total", "spread",
    "where", "mean_by", "most_by", "largest", "lowest", "size",
)  # fmt: skip
COLUMNS = (
    "exhibit", "population", "group", "contrast", "model", "estimator", "term", "mediator", "unit",
)  # fmt: skip
FAMILIES = ("domain", "role", "rule")
MODELS = (
    "direct", "count", "share", "adjusted mean", "group difference", "mean rating", "teacher rating",
    "observation rating", "chi-square", "icc", "paired difference", "theme", "reliability", "EFA", "CFA", "invariance",
    "DIF", "latent mean", "association", "teacher share", "teacher chi-square", "observation count",
    "observation share",
)  # fmt: skip
RULE_KEYS = ("select", "gate", "parts", "shows", "descriptive", "family", "undecidable")
PART_KEYS = ("words", "holds", "extra", "core", "nothing")
NODES = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.BinOp, ast.Call,
    ast.Name, ast.Constant, ast.Load, ast.Set, ast.List, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In,
    ast.NotIn, ast.Add, ast.Sub, ast.Mult, ast.Div,
)  # fmt: skip
TYPED = re.compile(r"(?<![\w{.])\d*\.\d+")
PLAIN_KEY = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Part:
    """One condition of a rule.

    Attributes
    ----------
    words : str
        The condition in words; ``{alpha}`` and other thresholds stand in braces.
    holds : ast.Expression
        The condition as an expression that was checked.
    text : str
        The expression as written.
    extra : bool
        A flag that is shown and does not decide.
    core : bool
        Without this part the finding fails; other required parts only make it hold in part.
    null : str
        Where the part asserts that there is nothing: the selection whose rows get equivalence tests.
    """

    words: str
    holds: ast.Expression
    text: str
    extra: bool = False
    core: bool = False
    null: str = ""


@dataclass(frozen=True)
class Rule:
    """How one finding is decided.

    Attributes
    ----------
    key : str
        The finding, such as ``1a-1``.
    select : dict
        For each name the values that columns of the row shape may hold; tokens are resolved.
    parts : tuple of Part
        In the order they are read.
    gate : Part or None
        What must hold before groups may be compared at all.
    shows : tuple of str
        Selections whose estimates stand in the scorecard.
    descriptive : bool
        The rule holds no test of significance.
    family : {"domain", "role", "rule"}
        Rows that share one correction for multiple tests.
    undecidable : str
        Why no data can decide the finding; such a rule has no parts.
    """

    key: str
    select: dict[str, dict[str, tuple[str, ...]]]
    parts: tuple[Part, ...]
    gate: Part | None = None
    shows: tuple[str, ...] = ()
    descriptive: bool = False
    family: str = "domain"
    undecidable: str = ""

    @property
    def asserts_null(self) -> bool:
        """Whether a required part says that there is nothing."""
        return any(part.null for part in self.parts if not part.extra)


def read_rules(folder: Path, codebook: Codebook, findings: dict | None) -> dict[str, Rule] | None:
    """The rules of a study folder by finding; None where it has no ``rules.yml``.

    Raises
    ------
    StudyError
        If a rule belongs to no finding of ``findings.yml``, or names a column, key, population, threshold, selection
        or function that does not exist; the message gives the nearest name.
    """
    path = folder / RULES
    if not path.is_file():
        return None
    content, faults = read_yaml(path)
    if faults:
        raise StudyError(fault_text(faults))
    known = known_findings(findings)
    rules = {}
    for key, entry in (content or {}).items():
        if key not in known:
            raise StudyError(
                f"{RULES} has a rule for {key!r}, which findings.yml does not list{nearest(key, known)}"
            )
        rules[key] = _rule(str(key), entry, codebook)
    return rules


def known_findings(findings: dict | None) -> dict[str, dict]:
    """Key findings and supporting claims of ``findings.yml`` by id, in its order."""
    lists = [(findings or {}).get(name) or [] for name in ("key_findings", "supporting_claims")]
    return {str(entry["id"]): entry for entries in lists for entry in entries}


def _rule(key: str, entry: dict, codebook: Codebook) -> Rule:
    where = f"{RULES}, {key}"
    _only(entry, RULE_KEYS, where)
    if entry.get("undecidable"):
        return Rule(key, {}, (), undecidable=str(entry["undecidable"]))
    select = selections(entry.get("select") or {}, codebook, where)
    parts = [
        _part(part, select, codebook, f"{where}, part {place}")
        for place, part in enumerate(entry["parts"], 1)
    ]
    if not any(part.core for part in parts):  # the first required part is what the finding says
        first = next((place for place, part in enumerate(parts) if not part.extra), None)
        if first is None:
            raise StudyError(f"{where}: every part is extra; at least one must decide")
        parts[first] = Part(**{**parts[first].__dict__, "core": True})
    gate = _part(entry["gate"], select, codebook, f"{where}, gate") if "gate" in entry else None
    shows = entry.get("shows") or next(iter(select), ())
    shows = (shows,) if isinstance(shows, str) else tuple(shows)
    for name in shows:
        _known(name, select, where, "selection")
    family = entry.get("family", "domain")
    _known(family, FAMILIES, where, "family")
    return Rule(key, select, tuple(parts), gate, shows, bool(entry.get("descriptive", False)), family)


def _part(entry: dict, select: dict, codebook: Codebook, where: str) -> Part:
    _only(entry, PART_KEYS, where)
    for needed in ("words", "holds"):
        if not entry.get(needed):
            raise StudyError(f"{where} has no {needed!r}; write the condition in words and as an expression")
    null = entry.get("nothing", "")
    if null:
        _known(null, select, where, "selection")
    try:
        entry["words"].format(**codebook.thresholds)
    except KeyError as error:
        name = str(error.args[0])
        raise StudyError(f"{where}: no threshold {name!r}{nearest(name, codebook.thresholds)}") from None
    if TYPED.search(entry["words"]):
        raise StudyError(f"{where}: a number is typed in the words; name its threshold in braces")
    text = str(entry["holds"])
    return Part(
        words=entry["words"], holds=expression(text, select, codebook, where), text=text,
        extra=bool(entry.get("extra", False)), core=bool(entry.get("core", False)), null=null,
    )  # fmt: skip


def selections(given: dict, codebook: Codebook, where: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Named selections with their tokens resolved; ``where`` begins the message of an error."""
    return {
        name: {column: _values(column, one, codebook, f"{where}, {name}") for column, one in columns.items()}
        for name, columns in given.items()
    }


def expression(text: str, select: dict, codebook: Codebook, where: str) -> ast.Expression:
    """Parse an expression and refuse whatever is outside the language."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise StudyError(f"{where}: {text!r} is not an expression ({error.msg})") from None
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, NODES):
            raise StudyError(
                f"{where}: {type(node).__name__} is not allowed in a rule; use names, comparisons and calls"
            )
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.keywords:
                raise StudyError(f"{where}: a call is a function's name and arguments in order")
            _known(node.func.id, FUNCTIONS, where, "function")
        elif isinstance(node, ast.Name) and id(node) not in called:
            _known(node.id, [*select, *codebook.thresholds], where, "selection or threshold")
        elif isinstance(node, ast.Constant) and not isinstance(node.value, (int, float, str)):
            raise StudyError(f"{where}: {node.value!r} is neither a number nor a key")
    return tree


def _values(column: str, given: object, codebook: Codebook, where: str) -> tuple[str, ...]:
    """Values that a column may hold, with the codebook's lists in place of tokens."""
    _known(column, COLUMNS, where, "column")
    values = []
    for value in given if isinstance(given, list) else [given]:
        values += resolved(str(value), codebook, where)
    for value in values:
        if column == "population" and value:
            _known(value, codebook.populations, where, "population")
        if column == "model":
            bare = value.removesuffix(" equivalence").removeprefix("mediation by ")
            known = MODELS if bare == value.removesuffix(" equivalence") else keys_of(codebook)
            _known(bare, known, where, "model")
        if column in ("term", "mediator") and PLAIN_KEY.fullmatch(value):
            _known(value, keys_of(codebook), where, "key of the codebook")
    return tuple(values)


def keys_of(codebook: Codebook) -> list[str]:
    """Every key that a result's term may be."""
    items = [item for scale in codebook.scales.values() for item in scale.items]
    return [*codebook.scales, *codebook.domains, *codebook.columns, *codebook.populations, *codebook.themes,
            codebook.exposure[0], *items]  # fmt: skip


def resolved(value: str, codebook: Codebook, where: str) -> list[str]:
    """The values that a token stands for; any other text stands for itself."""
    kind, _, name = value.partition(":")
    if kind == "role" and name:
        found = [scale.key for scale in codebook.scales_with(name)]
        return found or _refuse(name, {scale.role for scale in codebook.scales.values()}, where, "role")
    if kind == "domains" and name:
        found = [key for key, domain in codebook.domains.items() if domain.role == name]
        return found or _refuse(
            name, {domain.role for domain in codebook.domains.values()}, where, "role of domains"
        )
    if kind == "domain" and name:
        _known(name, codebook.domains, where, "domain")
        return list(codebook.domains[name].scales)
    if kind == "items" and name:
        _known(name, codebook.scales, where, "scale")
        return list(codebook.scales[name].items)
    listed = re.fullmatch(r"(outcomes|mediators)(?:\[(\d+)\])?", value)
    if listed:
        entries = list(getattr(codebook, listed[1]))
        return entries if listed[2] is None else entries[int(listed[2]) : int(listed[2]) + 1]
    return [
        {"focal": codebook.focal, "reference": codebook.reference, "exposure": codebook.exposure[0]}.get(
            value, value
        )
    ]


def _only(entry: dict, allowed: tuple[str, ...], where: str) -> None:
    for key in entry:
        _known(key, allowed, where, "entry")


def _known(name: str, known, where: str, what: str) -> None:
    if name not in known:
        _refuse(name, known, where, what)


def _refuse(name: str, known, where: str, what: str) -> list:
    raise StudyError(f"{where}: there is no {what} {name!r}{nearest(name, known)}")
