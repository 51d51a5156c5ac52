"""Numbers lead to one row of the whole report."""

from __future__ import annotations

from lib.report.render.rows import link_rows

ROW = '<tr id="row-a"><th>A</th></tr>'
NUMBER = '<data class="num" data-row="a"><a href="#row-a">0.69</a></data>{"to": "#row-a"}'


def test_a_number_leads_to_the_first_page_that_shows_its_row():
    pages = link_rows({"index.html": NUMBER, "chapters/one.html": ROW + NUMBER, "chapters/two.html": ROW})
    assert pages["index.html"].count('"chapters/one.html#row-a"') == 2
    assert pages["chapters/one.html"] == ROW + NUMBER


def test_a_row_without_a_table_is_in_the_file_of_estimates():
    page = link_rows({"chapters/one.html": NUMBER})["chapters/one.html"]
    assert page.count('"../downloads/estimates.csv#row-a"') == 2


def test_on_a_page_alone_such_a_number_leads_to_its_top():
    assert '<a href="#main">' in link_rows({"one.html": NUMBER}, fallback="")["one.html"]


def test_an_id_stands_once_on_a_page():
    page = link_rows({"one.html": ROW + '<td class="n" id="row-a">0.69</td>'})["one.html"]
    assert page == ROW + '<td class="n" data-at="row-a">0.69</td>'
