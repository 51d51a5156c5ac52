"""Faults of a codebook against its JSON Schema, each in words with the place and a remedy."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from lib.study.codebook import nearest
from lib.study.faults import Fault

SCHEMA = Path(__file__).with_name("codebook.schema.json")
FILE = "codebook.yml"


@cache
def codebook_schema() -> dict:
    """The JSON Schema of ``codebook.yml``."""
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def schema_faults(raw: dict) -> list[Fault]:
    """Faults of a codebook (keys as text) against the schema; at most one for each entry and rule."""
    faults = []
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(codebook_schema()).iter_errors(raw):
        faults += _in_words(_deepest(error))
    return list(dict.fromkeys(faults))


def _deepest(error):
    """Of an error about alternatives, the one inside the alternative that was meant (the right type)."""
    while error.context:
        meant = [inner for inner in error.context if inner.validator != "type" or inner.relative_path]
        error = meant[0] if meant else error.context[0]
        if error.validator == "type" and not meant:
            break
    return error


def _in_words(error) -> list[Fault]:
    place = ".".join(str(part) for part in error.absolute_path)
    entry = f"entry {place!r}" if place else "codebook.yml"
    allowed = error.schema.get("description") if isinstance(error.schema, dict) else None
    rule, value = error.validator, error.validator_value

    def fault(message: str, remedy: str, column: str = place) -> Fault:
        return Fault("error", FILE, column, f"codebook: {rule}", 1, message, remedy)

    if rule == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        extra = sorted(set(error.instance) - set(known))
        return [
            fault(f"{entry} has an unknown key {_cut(key)}{nearest(key, known)}", "correct or remove the key")
            for key in extra
        ]
    if rule == "required":
        missing = [key for key in value if key not in error.instance]
        return [
            fault(f"{entry} lacks {key!r} (1 entry)", f"add {key!r}", f"{place}.{key}".strip("."))
            for key in missing
        ]
    if rule == "enum":
        return [
            fault(
                f"{entry} is {_cut(error.instance)}, none of {len(value)} allowed words{nearest(error.instance, value)}",
                "use one of them",
            )
        ]
    if rule == "type":
        wanted = value if isinstance(value, str) else " or ".join(value)
        return [fault(f"{entry} should be of type {wanted}", allowed or f"write it as {wanted}")]
    if rule in ("pattern", "maxLength", "minLength"):
        return [fault(f"{entry} is not allowed as written", f"write {allowed or 'other words'}")]
    if rule in ("minItems", "minProperties"):
        return [fault(f"{entry} is empty", allowed or "give at least one, or remove the entry")]
    if rule in ("minimum", "maximum", "exclusiveMinimum"):
        return [fault(f"{entry} is out of range ({rule} {value})", "correct the number")]
    if rule == "uniqueItems":
        return [fault(f"{entry} names something twice", "keep one of them")]
    return [fault(f"{entry} breaks the rule {rule!r}", allowed or "see lib/study/codebook.schema.json")]


def _cut(value) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
