"""Read ``codebook.yml`` into a Codebook, or say everything that is wrong with it.

The YAML is read with the safe loader; aliases are refused, so no file can unfold into more
than it shows. The structure is checked against ``codebook.schema.json``, then what a schema cannot
say: names that refer to each other.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from lib.errors import StudyError
from lib.study.codebook import (
    THRESHOLDS,
    Codebook,
    Column,
    DisclosureSettings,
    Domain,
    FileSpec,
    PopulationRule,
    Scale,
)
from lib.study.codebook_rules import reference_faults
from lib.study.faults import Fault, fault_text, most_serious_first, refusing
from lib.study.schema_faults import schema_faults

CODEBOOK = "codebook.yml"
MAX_CODEBOOK_BYTES = 2_000_000
MAX_DEPTH = 20


def load_codebook(folder: Path) -> Codebook:
    """Codebook of a study folder.

    Raises
    ------
    StudyError
        If it is missing, is not plain YAML, or breaks a rule; the message lists every fault.
    """
    codebook, faults = read_codebook(Path(folder))
    if codebook is None or refusing(faults):
        raise StudyError(fault_text(refusing(faults), limit=8))
    return codebook


def read_codebook(folder: Path) -> tuple[Codebook | None, list[Fault]]:
    """Codebook of a folder with its faults; None where it cannot be understood at all."""
    raw, faults = read_yaml(folder / CODEBOOK)
    if faults:
        return None, faults
    raw = string_keys(raw)
    faults = schema_faults(raw)
    if faults:
        return None, most_serious_first(faults)
    faults = reference_faults(raw)
    if refusing(faults):
        return None, most_serious_first(faults)
    return build_codebook(raw), faults


def read_yaml(path: Path) -> tuple[dict | None, list[Fault]]:
    """Plain YAML mapping of a file, or the fault that keeps it from being read."""
    import yaml

    def fatal(rule: str, message: str, remedy: str) -> tuple[None, list[Fault]]:
        return None, [Fault("fatal", path.name, "", rule, 1, message, remedy)]

    if not path.is_file():
        return fatal(
            "file present",
            f"the study folder has no {path.name} (1 file missing)",
            "write one with `lwo init` and fill in what it guessed",
        )
    if path.is_symlink():
        return fatal(
            "plain file", f"{path.name} is a symbolic link (1)", "put the file itself into the folder"
        )
    if path.stat().st_size > MAX_CODEBOOK_BYTES:
        return fatal(
            "size",
            f"{path.name} is larger than 2 MB (1 file)",
            "a codebook describes data; keep data out of it",
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return fatal("encoding", f"{path.name} is not UTF-8 text (1 file)", "save it as UTF-8")
    try:
        unsafe = _unsafe_yaml(text)
        if unsafe:
            return fatal(*unsafe)
        content = yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" near line {mark.line + 1}" if mark else ""
        problem = (getattr(error, "problem", None) or "not readable")[:80]
        message = f"{path.name} is not plain YAML{where}: {problem}"
        return fatal("plain YAML", message, "correct the line; tags such as !!python are refused")
    except ValueError:
        return fatal(
            "plain YAML", f"{path.name} holds a value that is no date or number (1)", "put it in quotes"
        )
    if not isinstance(content, dict):
        return fatal("mapping", f"{path.name} holds no `key: value` entries", "start from `lwo init`")
    return content, []


def _loader():
    """The safe loader, in C where PyYAML was built with it."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _unsafe_yaml(text: str) -> tuple[str, str, str] | None:
    """Rule, message and remedy where a YAML text has anchors, is nested deeply or repeats a key."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=_loader()):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return "no aliases", "the file uses YAML anchors or aliases", "write the entries out in full"
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            message = f"the file is nested more than {MAX_DEPTH} levels deep"
            return "plain YAML", message, "write it as flat as the shipped codebook"
    twice = _repeated_keys(yaml.compose(text, Loader=_loader()))
    if twice:
        message = f"the file declares {len(twice)} keys twice in one place: {', '.join(twice[:5])}"
        return "unique keys", message, "keep one entry of each"
    return None


def _repeated_keys(node) -> list[str]:
    """Keys that stand twice in one YAML mapping, anywhere in the tree."""
    import yaml

    twice = []
    if isinstance(node, yaml.MappingNode):
        names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        twice += [name for name, count in names.items() if count > 1]
        for _, value in node.value:
            twice += _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            twice += _repeated_keys(value)
    return twice


def string_keys(entry):
    """The same entry with every mapping key as text (YAML reads ``9:`` as a number)."""
    if isinstance(entry, dict):
        return {str(key): string_keys(value) for key, value in entry.items()}
    if isinstance(entry, list):
        return [string_keys(value) for value in entry]
    return entry


def build_codebook(raw: dict) -> Codebook:
    """Codebook from a mapping that has passed every check."""
    files = {
        kind: FileSpec(kind, **({"path": spec} if isinstance(spec, str) else spec))
        for kind, spec in raw["files"].items()
    }
    defaults = raw.get("scale_defaults", {})
    scales = {key: _scale(key, {**defaults, **entry}) for key, entry in raw.get("scales", {}).items()}
    columns = {key: _column(key, entry) for key, entry in raw["columns"].items()}
    for key, entry in raw.get("scales", {}).items():
        columns |= _item_columns(scales[key], {**defaults, **entry}, columns)
    domains = {
        key: Domain(
            key,
            entry["label"],
            entry.get("role", ""),
            tuple(s.key for s in scales.values() if s.domain == key),
        )
        for key, entry in raw.get("domains", {}).items()
    }
    exposure = raw.get("exposure", {"key": "exposure", "label": "Exposure"})
    return Codebook(
        title=raw["title"],
        citation=raw.get("citation", ""),
        licence=raw.get("licence", ""),
        synthetic=raw["synthetic"],
        files=files,
        columns=columns,
        scales=scales,
        domains=domains,
        populations={
            key: PopulationRule(entry["label"], levels_of(entry.get("where", {})))
            for key, entry in raw["populations"].items()
        },
        focal=raw.get("focal", ""),
        reference=raw.get("reference", ""),
        covariate_sets={key: tuple(entry) for key, entry in raw.get("covariate_sets", {}).items()},
        thresholds=THRESHOLDS | {key: float(value) for key, value in raw.get("thresholds", {}).items()},
        disclosure=_disclosure(raw.get("disclosure", {})),
        mediators=tuple(raw.get("mediators", ())),
        exposure=(exposure["key"], exposure["label"]),
        respondents=levels_of(raw.get("respondents", {})),
        themes=dict(raw.get("themes", {})),
        theme_sets={key: tuple(entry) for key, entry in raw.get("theme_sets", {}).items()},
        theme_within=dict(raw.get("theme_within", {})),
    )


def levels_of(where: dict) -> dict[str, tuple[str, ...]]:
    """``{column: level or [levels]}`` of the codebook as tuples of text."""
    return {
        column: tuple(_text(level) for level in (levels if isinstance(levels, list) else [levels]))
        for column, levels in where.items()
    }


def _text(value) -> str:
    """A YAML scalar as the text that stands in a file (YAML reads a bare yes and no as booleans)."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _column(key: str, entry: dict) -> Column:
    files = entry.get("file", "students")
    return Column(
        key=key,
        label=entry.get("label", key),
        question=entry.get("question", ""),
        type=entry.get("type", "category" if entry.get("levels") else "text"),
        role=entry.get("role", "covariate"),
        levels={_text_key(level): str(label) for level, label in entry.get("levels", {}).items()},
        low=entry.get("low"),
        high=entry.get("high"),
        missing_codes=tuple(entry.get("missing_codes", ())),
        files=tuple(files) if isinstance(files, list) else (files,),
    )


def _text_key(level: str) -> str:
    return {"True": "yes", "False": "no"}.get(level, level)


def _scale(key: str, entry: dict) -> Scale:
    return Scale(
        key=key,
        label=entry["label"],
        definition=entry.get("definition", ""),
        role=entry["role"],
        domain=entry.get("domain", ""),
        items=tuple(entry["items"]),
        reversed=tuple(entry.get("reversed", ())),
        min_answered=entry.get("min_answered", 1),
        low=float(entry["low"]),
        high=float(entry["high"]),
        sign=entry.get("sign", 1),
        file=entry.get("file", "students"),
        counterpart=entry.get("counterpart", ""),
    )


def _item_columns(scale: Scale, entry: dict, columns: dict[str, Column]) -> dict[str, Column]:
    """Columns of a scale's items: the range is the scale's, the question stands beside the item."""
    items = entry["items"]
    questions = items if isinstance(items, dict) else {}
    return {
        item: Column(
            key=item,
            label=questions.get(item) or (columns[item].label if item in columns else item),
            question=questions.get(item, columns[item].question if item in columns else ""),
            type=entry.get("type", "ordinal"),
            role="item",
            levels={str(key): str(label) for key, label in entry.get("points", {}).items()},
            low=scale.low,
            high=scale.high,
            missing_codes=tuple(entry.get("missing_codes", ())),
            files=(scale.file,),
        )
        for item in scale.items
    }


def _disclosure(entry: dict) -> DisclosureSettings:
    values = dict(entry)
    if "percent_coding" in values:
        values["percent_coding"] = tuple(tuple(pair) for pair in values["percent_coding"])
    if "filter_columns" in values:
        values["filter_columns"] = tuple(values["filter_columns"])
    if "filter_alone" in values:
        values["filter_alone"] = {key: tuple(entry) for key, entry in values["filter_alone"].items()}
    return DisclosureSettings(**values)
