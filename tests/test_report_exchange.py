"""A site is replaced whole or not at all."""

from __future__ import annotations

import pytest

from lib.report import exchange as module
from lib.report.exchange import exchange, repair


@pytest.fixture(params=["one step", "two renames"])
def folders(tmp_path, request, monkeypatch):
    """An old and a new folder, with and without the system call that swaps them."""
    if request.param == "two renames":
        monkeypatch.setattr(module, "_swap", lambda new, old: False)
    old, new = tmp_path / "site", tmp_path / "site.new"
    for folder in (old, new):
        folder.mkdir()
        (folder / folder.name).write_text("")
    return old, new


def test_the_new_folder_stands_in_place_of_the_old_one(folders):
    old, new = folders
    exchange(new, old)
    assert [path.name for path in old.iterdir()] == ["site.new"]
    assert [path.name for path in old.parent.iterdir()] == ["site"]


def test_a_first_site_needs_no_exchange(tmp_path):
    (tmp_path / "new").mkdir()
    exchange(tmp_path / "new", tmp_path / "site")
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_an_exchange_cut_off_between_its_renames_is_repaired(tmp_path):
    (tmp_path / "site.previous").mkdir()
    repair(tmp_path / "site")
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_repair_removes_what_a_finished_exchange_left(tmp_path):
    (tmp_path / "site.previous").mkdir()
    (tmp_path / "site").mkdir()
    repair(tmp_path / "site")
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
