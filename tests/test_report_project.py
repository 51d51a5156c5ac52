"""Pages, their order and their parameters, as _quarto.yml and parameters.yml give them."""

from __future__ import annotations

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook

from lib.errors import BuildError
from lib.report.parameters import chapter_parameters, declared_parameters
from lib.report.project import load_project


@pytest.fixture
def project(tmp_path):
    """Writes a project of empty notebooks; returns the function that loads it."""

    def write(pages: dict, settings: dict, notebooks: list[str]):
        (tmp_path / "chapters").mkdir(exist_ok=True)
        (tmp_path / "_quarto.yml").write_text(yaml.safe_dump({"book": pages}))
        (tmp_path / "chapters" / "parameters.yml").write_text(yaml.safe_dump(settings))
        for name in notebooks:
            nbformat.write(new_notebook(), tmp_path / "chapters" / f"{name}.ipynb")
        return load_project(tmp_path)

    return write


BOOK = {
    "chapters": [
        "index.ipynb",
        {"part": "One", "chapters": ["chapters/a.ipynb", "chapters/b.ipynb"]},
        "chapters/notes.md",
    ],
    "appendices": ["chapters/methods.ipynb"],
}


def test_pages_come_in_reading_order_with_their_notebooks(project):
    pages = project(BOOK, {"b": {"notebook": "a", "exhibits": {12: 21}}}, ["index", "a", "methods"]).pages
    assert [page.name for page in pages] == ["index", "a", "b", "methods"]
    assert pages[2].notebook.name == "a.ipynb"
    assert pages[2].exhibits == {12: 21}


def test_a_page_may_need_every_page_that_is_no_appendix(project):
    loaded = project(BOOK, {"methods": {"needs": "all"}}, ["index", "a", "b", "methods"])
    assert loaded.page("methods").needs == ("index", "a", "b")


def test_a_page_runs_after_the_pages_it_needs(project):
    loaded = project(BOOK, {"index": {"needs": ["b"]}, "b": {"needs": ["a"]}}, ["index", "a", "b", "methods"])
    assert [page.name for page in loaded.closure(["index"])] == ["a", "b", "index"]


@pytest.mark.parametrize(
    ("settings", "notebooks", "message"),
    [
        ({"c": {}}, ["index", "a", "b", "methods"], "1 entries that _quarto.yml does not list, such as 'c'"),
        (
            {},
            ["index", "a", "methods"],
            r"page chapters/b.ipynb of _quarto.yml has no notebook chapters/b.ipynb",
        ),
        ({"a": {"neeeds": []}}, ["index", "a", "b", "methods"], "unknown key 'neeeds'; did you mean 'needs'"),
        (
            {"a": {"needs": ["bb"]}},
            ["index", "a", "b", "methods"],
            "needs 'bb', which _quarto.yml does not list",
        ),
        (
            {"a": {"needs": ["b"]}, "b": {"needs": ["a"]}},
            ["index", "a", "b", "methods"],
            "needs go in a circle: (a -> b -> a|b -> a -> b)",
        ),
    ],
)
def test_a_wrong_project_is_refused_by_name(project, settings, notebooks, message):
    with pytest.raises(BuildError, match=message):
        project(BOOK, settings, notebooks)


def test_an_unknown_page_is_met_with_the_nearest_name(project):
    loaded = project(BOOK, {}, ["index", "a", "b", "methods"])
    with pytest.raises(BuildError, match="did you mean 'methods'"):
        loaded.page("metods")


def test_a_page_listed_twice_is_refused(project):
    with pytest.raises(BuildError, match="lists 1 pages twice, such as chapters/a.ipynb"):
        project({"chapters": ["chapters/a.ipynb", "chapters/a.ipynb"]}, {}, ["a"])


@pytest.fixture
def chapter(tmp_path):
    """A notebook with one parameter of each type."""
    cell = new_code_cell(
        'population: str = "all"  # a population\nconf_level: float = 0.95  # in (0, 1)\n'
        "n_boot: int = 0  # resamples\nadjusted: bool = True  # with covariates",
        metadata={"tags": ["parameters"]},
    )
    path = tmp_path / "chapter.ipynb"
    nbformat.write(
        new_notebook(
            cells=[cell],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        ),
        path,
    )
    return path


def test_parameters_are_read_with_type_default_and_help(chapter):
    found = {parameter.name: parameter for parameter in declared_parameters(chapter)}
    assert (found["conf_level"].type, found["conf_level"].default, found["conf_level"].help) == (
        "float", 0.95, "in (0, 1)",
    )  # fmt: skip
    assert found["adjusted"].default is True


def test_text_from_a_shell_takes_the_declared_type(chapter):
    given = {"n_boot": "200", "conf_level": "1", "adjusted": "false", "population": "2"}
    assert chapter_parameters(chapter, given) == {
        "population": "2", "conf_level": 1.0, "n_boot": 200, "adjusted": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"populaton": "all"}, "no parameter 'populaton'; did you mean 'population'"),
        ({"n_boot": "ten"}, "parameter 'n_boot' must be of type int; got 'ten'"),
        ({"n_boot": True}, "must be of type int; got True"),
        ({"n_boot": "1.5"}, "must be of type int; got 1.5"),
        ({"adjusted": "3"}, "must be of type bool; got 3"),
    ],
)
def test_a_wrong_parameter_is_refused(chapter, given, message):
    with pytest.raises(BuildError, match=message):
        chapter_parameters(chapter, given)


def test_a_notebook_without_a_kernel_is_named(tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), tmp_path / "girls.ipynb")
    with pytest.raises(BuildError, match="girls.ipynb names no kernel; open it in JupyterLab"):
        declared_parameters(tmp_path / "girls.ipynb")
