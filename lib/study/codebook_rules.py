"""What a schema cannot say about a codebook: names that refer to each other."""

from __future__ import annotations

from collections import Counter

from lib.study.codebook import nearest
from lib.study.faults import Fault

FILE = "codebook.yml"


def reference_faults(raw: dict) -> list[Fault]:
    """Faults of names that refer to each other, in a codebook (keys as text) that fits its schema."""
    faults = []
    for check in (_keys, _columns, _scales, _populations, _sets, _themes, _disclosure):
        faults += check(raw)
    return faults


def _fault(place: str, rule: str, count: int, message: str, remedy: str) -> Fault:
    return Fault("error", FILE, place, f"codebook: {rule}", count, message, remedy)


def columns_of(raw: dict, kind: str) -> dict[str, dict]:
    """Column entries of one file, items of scales included."""
    found = {key: entry for key, entry in raw["columns"].items() if kind in _files(entry)}
    for scale in raw.get("scales", {}).values():
        if scale.get("file", "students") == kind:
            found |= {item: {"role": "item"} for item in scale["items"] if item not in found}
    return found


def _files(entry: dict) -> list[str]:
    files = entry.get("file", "students")
    return files if isinstance(files, list) else [files]


def _keys(raw: dict) -> list[Fault]:
    """A key stands for one thing: scale, domain, column, the exposure; items belong to one scale."""
    faults = []
    places = {name: list(raw.get(name, {})) for name in ("columns", "scales", "domains")}
    places["exposure"] = [raw["exposure"]["key"]] if "exposure" in raw else []
    twice = [
        key for key, count in Counter(key for keys in places.values() for key in keys).items() if count > 1
    ]
    faults += [
        _fault(
            key, "one meaning", 2, f"key {key!r} stands for 2 entries of codebook.yml", "rename one of them"
        )
        for key in twice
    ]
    uses = Counter(item for scale in raw.get("scales", {}).values() for item in dict.fromkeys(scale["items"]))
    faults += [
        _fault(
            item, "item in one scale", count, f"item {item!r} is in {count} scales", "leave it in one scale"
        )
        for item, count in uses.items()
        if count > 1
    ]
    return faults


def _columns(raw: dict) -> list[Fault]:
    faults = []
    for kind in raw["files"]:
        ids = [key for key, entry in columns_of(raw, kind).items() if entry.get("role") == "id"]
        if len(ids) != 1:
            remedy = "declare one column of each file with role id"
            faults.append(
                _fault(kind, "one id", len(ids), f"file {kind!r} has {len(ids)} id columns", remedy)
            )
    for key, entry in raw["columns"].items():
        low, high = entry.get("low"), entry.get("high")
        if low is not None and high is not None and low >= high:
            faults.append(
                _fault(key, "low below high", 1, f"column {key!r} has low not below high", "exchange them")
            )
        if entry.get("type") in ("category", "ordinal") and not entry.get("levels") and low is None:
            remedy = "list its levels, or low and high"
            faults.append(_fault(key, "levels", 1, f"column {key!r} declares no levels", remedy))
        faults += _codes(key, entry.get("missing_codes", ()), entry.get("levels", {}), low, high)
    return faults


def _codes(key: str, codes, levels: dict, low, high) -> list[Fault]:
    """A missing code may not also be an answer."""
    clash = [code for code in codes if str(code) in levels or _inside(code, low, high)]
    if not clash:
        return []
    return [_fault(key, "missing codes", len(clash), f"{key!r} declares {len(clash)} missing codes that are also answers",
                   "use codes outside the range and the levels")]  # fmt: skip


def _inside(code, low, high) -> bool:
    return isinstance(code, (int, float)) and low is not None and high is not None and low <= code <= high


def _scales(raw: dict) -> list[Fault]:
    faults, defaults = [], raw.get("scale_defaults", {})
    for key, entry in raw.get("scales", {}).items():
        scale = {**defaults, **entry}
        items = list(scale["items"])
        low, high = scale.get("low"), scale.get("high")
        if len(set(items)) < len(items):
            faults.append(
                _fault(key, "items once", 1, f"scale {key!r} lists an item twice", "list each item once")
            )
        if low is None or high is None:
            faults.append(
                _fault(key, "range", 1, f"scale {key!r} has no low and high", "state them, or scale_defaults")
            )
        elif low >= high:
            faults.append(
                _fault(key, "low below high", 1, f"scale {key!r} has low not below high", "exchange them")
            )
        stray = [item for item in scale.get("reversed", ()) if item not in items]
        if stray:
            message = f"scale {key!r} reverses {len(stray)} items it does not have: {', '.join(stray[:3])}"
            faults.append(
                _fault(
                    key,
                    "reversed items",
                    len(stray),
                    message,
                    f"list items of the scale{nearest(stray[0], items)}",
                )
            )
        if entry.get("min_answered", 1) > len(items):
            message = f"scale {key!r} asks for {entry['min_answered']} answered items and has {len(items)}"
            faults.append(_fault(key, "min_answered", 1, message, "lower min_answered"))
        if scale.get("domain", "") not in ("", *raw.get("domains", {})):
            message = (
                f"scale {key!r} is in an unknown domain{nearest(scale['domain'], raw.get('domains', {}))}"
            )
            faults.append(_fault(key, "domain", 1, message, "declare the domain under domains"))
        if scale.get("file", "students") not in raw["files"]:
            message = (
                f"scale {key!r} is measured in file {scale.get('file')!r}, which the codebook does not name"
            )
            faults.append(_fault(key, "file", 1, message, "name the file under files, or remove the scale"))
        if "counterpart" in scale and scale["counterpart"] not in raw["scales"]:
            message = (
                f"scale {key!r} has an unknown counterpart{nearest(scale['counterpart'], raw['scales'])}"
            )
            faults.append(_fault(key, "counterpart", 1, message, "name a scale"))
        faults += _codes(key, scale.get("missing_codes", ()), {}, low, high)
    return faults


def _populations(raw: dict) -> list[Fault]:
    students, faults = columns_of(raw, "students"), []
    rules = {f"populations.{key}": entry.get("where", {}) for key, entry in raw["populations"].items()}
    for place, where in {**rules, "respondents": raw.get("respondents", {})}.items():
        for column, levels in where.items():
            if column not in students:
                message = (
                    f"{place} names {column!r}, no column of the students' file{nearest(column, students)}"
                )
                faults.append(_fault(place, "column", 1, message, "correct the column's name"))
                continue
            known = {str(level) for level in students[column].get("levels", {})}
            asked = levels if isinstance(levels, list) else [levels]
            wrong = [level for level in asked if known and _text(level) not in known]
            if wrong:
                message = f"{place} names {len(wrong)} levels that column {column!r} does not have{nearest(wrong[0], known)}"
                faults.append(_fault(place, "level", len(wrong), message, "correct the level, or declare it"))
    for name in ("focal", "reference"):
        if name in raw and raw[name] not in raw["populations"]:
            message = (
                f"{name} is {raw[name]!r}, which is no population{nearest(raw[name], raw['populations'])}"
            )
            faults.append(_fault(name, "population", 1, message, "name a population"))
    if "focal" in raw and raw.get("focal") == raw.get("reference"):
        faults.append(
            _fault("focal", "two groups", 1, "focal and reference are the same population", "name two")
        )
    return faults


def _text(value) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _sets(raw: dict) -> list[Fault]:
    faults = []
    students = {
        key: entry for key, entry in columns_of(raw, "students").items() if entry.get("role") != "item"
    }
    for name, members in raw.get("covariate_sets", {}).items():
        wrong = [key for key in members if key not in students]
        if wrong:
            message = f"covariate set {name!r} names {len(wrong)} unknown columns: {', '.join(wrong[:3])}"
            faults.append(
                _fault(
                    name, "covariates", len(wrong), message + nearest(wrong[0], students), "correct the names"
                )
            )
    known = [*raw.get("scales", {}), *raw.get("domains", {})]
    wrong = [key for key in raw.get("mediators", ()) if key not in known]
    if wrong:
        message = f"mediators names {len(wrong)} entries that are no scale or domain: {', '.join(wrong[:3])}"
        faults.append(
            _fault(
                "mediators", "mediators", len(wrong), message + nearest(wrong[0], known), "correct the names"
            )
        )
    if raw.get("exposure") is None and any(
        scale["role"] == "exposure" for scale in raw.get("scales", {}).values()
    ):
        message = "scales have the role exposure, and codebook.yml does not say what they measure"
        faults.append(_fault("exposure", "exposure", 1, message, "add `exposure: {key: ..., label: ...}`"))
    return faults


def _themes(raw: dict) -> list[Fault]:
    """Sets of themes name levels of the remarks' column `theme`."""
    levels = raw["columns"].get("theme", {}).get("levels", {})
    named = [*raw.get("theme_sets", {}).values(), *(pair for pair in raw.get("theme_within", {}).items())]
    wrong = sorted({theme for members in named for theme in members} - set(levels))
    if not wrong:
        return []
    message = f"theme_sets and theme_within name {len(wrong)} themes that column 'theme' does not have: "
    message += ", ".join(wrong[:3]) + nearest(wrong[0], levels)
    return [_fault("theme_sets", "themes", len(wrong), message, "correct the names, or declare the levels")]


def _disclosure(raw: dict) -> list[Fault]:
    settings, students = raw.get("disclosure", {}), columns_of(raw, "students")
    alone = settings.get("filter_alone", {})
    named = [*settings.get("filter_columns", ()), *alone, *(key for keys in alone.values() for key in keys)]
    wrong = [key for key in named if key not in students or not students[key].get("levels")]
    if not wrong:
        return []
    message = (
        f"disclosure offers {len(wrong)} filters that are no columns with levels: {', '.join(wrong[:3])}"
    )
    return [
        _fault(
            "disclosure", "filters", len(wrong), message + nearest(wrong[0], students), "correct the names"
        )
    ]
