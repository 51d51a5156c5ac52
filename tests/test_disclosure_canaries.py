"""No record of a study reaches a published byte: every id and number of the study is a marker, and none is found."""

from __future__ import annotations

import gzip

from tests.disclosure_canaries import build_canary_site, markers_in

PAGES = ("study",)


def test_a_site_built_from_markers_holds_none(tmp_path):
    """One chapter, with every file of the study loaded; `make campaigns` builds all pages."""
    site, markers = build_canary_site(tmp_path, pages=PAGES)
    assert len(markers) > 4000  # ids, classes, grades and absences of 892 students
    assert {f"{page}.html" for page in PAGES} <= {path.name for path in (site / "chapters").iterdir()}
    assert markers_in(site, markers) == set()


def test_a_marker_is_found_as_it_is_and_packed(tmp_path):
    markers = {"cnry0123456789", "84.01234567"}
    (tmp_path / "page.html").write_text('<p data-x="[84.01234567, 2]">Nothing.</p>')
    (tmp_path / "rows.json.gz").write_bytes(gzip.compress(b'["cnry0123456789"]'))
    (tmp_path / "clean.html").write_text("<p>84.0123 and cnry</p>")
    assert markers_in(tmp_path, markers) == markers
    (tmp_path / "page.html").unlink()
    assert markers_in(tmp_path, markers) == {"cnry0123456789"}
