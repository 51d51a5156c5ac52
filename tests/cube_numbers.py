"""What a cube holds, read back: thousandths by place (a state or a pair) and result."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

from lib.show.cube_code import interval_ends


def results_of(content: dict, name: str) -> dict[tuple[int, str], dict]:
    """Numbers of ``own``, ``rest`` or ``gap``, with the ends of their intervals."""
    found = {}
    for series in content[name]:
        for at, (place, key) in enumerate(product(series["places"], series["keys"])):
            told = {what: values[at] for what, values in series.items() if what not in ("places", "keys")}
            ends = interval_ends(told["estimate"], told.pop("below"), told.pop("skew"))
            found[place, content["keys"][key]["key"]] = told | dict(
                zip(("conf_low", "conf_high"), ends, strict=True)
            )
    return found


def cube_of(site: Path, page: str) -> dict:
    """The results that travel with a page."""
    script = (site / f"site_libs/cubes/{page}.js").read_text("utf-8")
    return json.loads(script.partition("] = ")[2].rstrip(";\n"))
