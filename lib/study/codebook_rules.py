"""What a schema cannot say about a codebook: names that refer to each other."""

from __future__ import annotations

from lib.study.faults import Fault


def reference_faults(raw: dict) -> list[Fault]:
    """Faults of names that refer to each other in a codebook that fits its schema."""
    return []
