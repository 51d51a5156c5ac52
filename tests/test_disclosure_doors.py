"""No function of lib.show displays, words or stores results that did not pass the gate."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace

import nbformat
import pytest

import lib.show
from lib.analysis.estimates import estimates
from lib.disclosure.gate import Quoted, Released
from lib.disclosure.summaries import ledger_entries
from lib.errors import DisclosureError, ReportError
from tests.conftest import ROOT
from tests.disclosure_studies import CODEBOOK

RAW = estimates(
    [{"term": "env_peer_support", "population": "all", "estimate": 0.7318, "n_obs": 4, "unit": "SD per SD"}]
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
@pytest.mark.parametrize("raw", [0.7318, RAW, RAW.iloc[0], ROW, {"estimate": 0.7318}])
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


def chapter_functions() -> dict[str, object]:
    """What chapters take from lib.show."""
    found = {}
    for notebook in sorted((ROOT / "chapters").glob("*.ipynb")):
        for cell in nbformat.read(notebook, 4).cells:
            for node in ast.walk(ast.parse(cell.source)) if cell.cell_type == "code" else ():
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lib.show"):
                    module = importlib.import_module(node.module)
                    found |= {f"{node.module}.{one.name}": getattr(module, one.name) for one in node.names}
    return found


READ = (
    "Released",
    "Quoted",
    "Codebook",
    "codebook",
    "RowCount",
)  # what a parameter must be made of by the gate
KNOWN = ("Study", "Verdict", "Rows")  # what holds no result, or is passed through the gate inside


def doors() -> Iterator[tuple[str, str]]:
    for name, function in chapter_functions().items():
        for key, parameter in inspect.signature(function).parameters.items():
            words = f"{key} {parameter.annotation}"
            if parameter.kind != parameter.VAR_KEYWORD and any(one in words for one in (*READ, *KNOWN)):
                yield name, key


@pytest.mark.parametrize(("name", "door"), list(doors()))
def test_nothing_that_a_chapter_may_call_shows_raw_results(name, door, capsys):
    function = chapter_functions()[name]
    parameters = inspect.signature(function).parameters
    needed = {
        key: NEEDED.get(key, "x")
        for key, one in parameters.items()
        if key in NEEDED or (one.default is one.empty and one.kind != one.VAR_KEYWORD)
    }
    checked = any(one in f"{door} {parameters[door].annotation}" for one in READ)
    for form in raw_forms()[:4]:
        told, given = None, needed | {door: form}
        if checked:
            with pytest.raises(ReportError):
                function(**given)
        else:
            with suppress(ReportError, AttributeError, TypeError, ValueError):
                told = function(**given)
        assert "0.73" not in f"{told}{capsys.readouterr().out}"


def test_ledgers_are_read_from_the_study_s_folder_alone(study):
    entries = ledger_entries(study, "reading")
    assert len(entries) > 10 and len(entries.where(weight="slip")) < len(entries)
    assert len(ledger_entries(study, "population")) > 10
    assert len(ledger_entries(study, "no_such_ledger")) == 0
    with pytest.raises(DisclosureError, match="read from a study's folder, not from SimpleNamespace"):
        ledger_entries(SimpleNamespace(ledger=lambda _: {"entries": RAW.to_dict("records")}), "reading")
    with pytest.raises(DisclosureError, match="no list named entries"):
        ledger_entries(study, "findings")
    with pytest.raises(DisclosureError):
        Quoted(RAW.to_dict("records"))
    next(iter(entries))["says"] = "0.7318"
    assert next(iter(entries))["says"] != "0.7318"
