"""No function of lib.show displays, words or stores results that did not pass the gate."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import SimpleNamespace

import pytest

import lib.show
from lib.analysis.estimates import estimates
from lib.disclosure.gate import Released
from lib.errors import ReportError
from tests.disclosure_studies import CODEBOOK

RAW = estimates(
    [{"term": "env_peer_support", "population": "all", "estimate": 0.7, "n_obs": 4, "unit": "SD per SD"}]
)
ROW = SimpleNamespace(**RAW.iloc[0].to_dict(), codebook=CODEBOOK, values=RAW.iloc[0].to_dict(), shown=True)
NEEDED = {
    "title": "A title", "label": "fig-a", "where": "positive", "function": "test", "compare": None, "caption": "What.",
    "alpha": 0.05, "conf_level": 0.95, "on": "this choice", "choices": {}, "claims": {}, "sentence": "", "findings": (),
    "reproduced": (), "verdicts": {}, "study": None,
}  # fmt: skip


def public_functions() -> dict[str, object]:
    found = {}
    for module in pkgutil.iter_modules(lib.show.__path__):
        content = importlib.import_module(f"lib.show.{module.name}")
        for name in getattr(content, "__all__", ()):
            function = getattr(content, name)
            if inspect.isfunction(function) and function.__module__ == content.__name__:
                found[f"{module.name}.{name}"] = function
    return found


FUNCTIONS = public_functions()
TAKING_RELEASED = [name for name, one in FUNCTIONS.items() if "released" in inspect.signature(one).parameters]
WORDING = [name for name, one in FUNCTIONS.items() if "template" in inspect.signature(one).parameters]


def raw_forms() -> list[object]:
    looks_alike = SimpleNamespace(rows=RAW, codebook=CODEBOOK, notes=())
    return [RAW, RAW.to_dict("records"), [ROW], looks_alike, None]


def test_the_functions_that_display_results_are_known():
    assert len(TAKING_RELEASED) >= 6 and len(WORDING) >= 3


@pytest.mark.parametrize("name", TAKING_RELEASED)
@pytest.mark.parametrize("form", range(5))
def test_results_that_did_not_pass_the_gate_are_refused(name, form):
    function = FUNCTIONS[name]
    parameters = inspect.signature(function).parameters
    given = {key: value for key, value in NEEDED.items() if key in parameters}
    with pytest.raises(ReportError):
        function(**{"released": raw_forms()[form], **given})


@pytest.mark.parametrize("name", WORDING)
@pytest.mark.parametrize("raw", [0.7, RAW, RAW.iloc[0], ROW, {"estimate": 0.7}])
def test_sentences_take_released_rows_only(name, raw):
    with pytest.raises(ReportError):
        FUNCTIONS[name]("rises by {effect:.2f}", effect=raw)


def test_an_instance_that_only_says_it_is_released_is_refused():
    pretender = object.__new__(Released)
    for name in TAKING_RELEASED:
        parameters = inspect.signature(FUNCTIONS[name]).parameters
        given = {key: value for key, value in NEEDED.items() if key in parameters}
        if "rows" in parameters or name.startswith(("figures", "tables", "wording", "diagrams")):
            with pytest.raises(ReportError):
                FUNCTIONS[name](**{"released": pretender, **given})
