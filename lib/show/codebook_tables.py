"""A study's codebook as tables; no data stand behind them."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator

from lib.errors import ShowError
from lib.show.frame import given_caption, jupyter_html, name_of, scroll
from lib.show.marks import Mark, emit, plain, require_codebook
from lib.show.markup import Cell, Line, html_table, text_cell
from lib.show.prose import Phrase, words_of
from lib.show.words import number
from lib.study.codebook import Codebook, Column, Scale, nearest

FILE_WORDS = {
    "students": "one line for each student",
    "teachers": "one line for each teacher and class",
    "observations": "one line for each part of a visit",
    "excerpts": "one line for each coded remark",
}
SECTIONS = {"set_aside": "Set aside"}
SETTING_WORDS = {
    "k": "Fewest students or teachers behind any number",
    "m": "Fewest on either side of a share",
    "differencing_columns": "Columns crossed in the search for small sets",
    "latent_min_n": "A model with latent variables: fewest students",
    "latent_n_per_parameter": "Such a model: students for each free parameter",
    "min_clusters": "Fewest clusters behind a spread",
    "max_cluster_share": "Largest share of students in one cluster",
    "caution_n": "Fewer students than this: interpret with caution",
    "round_n": "A model's number of students is rounded to",
    "decimals": "Decimals of an estimate",
    "max_filters": "Columns that a reader may combine",
}

__all__ = ["codebook_table"]


def codebook_table(
    codebook: Codebook,
    what: str,
    *,
    title: Phrase | str,
    caption: Phrase | str,
    label: str,
    of: str = "",
) -> None:
    """Display a part of the codebook.

    Parameters
    ----------
    codebook : Codebook
        The study's.
    what : str
        ``files``, ``columns``, ``scales``, ``populations``, ``covariates``, ``thresholds``, ``disclosure`` or
        ``coding``.
    title, caption, label
        As of ``lib.show.tables.table``.
    of : str
        The file whose columns, or the file whose scales are listed.

    Raises
    ------
    ShowError
        If the codebook holds nothing of the kind, or there is no such part.
    """
    require_codebook(codebook, "codebook_table")
    if what not in PARTS:
        raise ShowError(f"a codebook has no part {what!r}{nearest(what, PARTS)}")
    head, lines_of = PARTS[what]
    lines = list(lines_of(codebook, of))
    if not lines:
        raise ShowError(f"the codebook lists no {what}{f' of {of}' if of else ''}")
    words, said = words_of(title), given_caption(caption).markdown
    body = html_table([(name, False) for name in head], lines)
    mark = Mark(
        kind="table", label=name_of("tbl", label, None), title=words.markdown, caption=said,
        table=scroll(body, plain(words.markdown)),
    )  # fmt: skip
    emit(mark, jupyter_html(title=words.markdown, caption=said, body=body))


def _files(codebook: Codebook, _: str) -> Iterator[Line]:
    for kind, file in codebook.files.items():
        columns = codebook.columns_of(kind)
        yield _line(file.path, FILE_WORDS.get(kind, kind), f"{len(columns)} columns")


def _columns(codebook: Codebook, file: str) -> Iterator[Line]:
    for key, column in codebook.columns_of(file).items():
        if column.role != "item":
            yield _line(key, column.question or column.label, column.role, _values(column), _missing(column))


def _scales(codebook: Codebook, file: str) -> Iterator[Line]:
    for scale in codebook.scales.values():
        if scale.file == file:
            section = codebook.domains[scale.domain].label if scale.domain else SECTIONS.get(scale.role, "")
            text = html.escape(scale.definition, quote=False)
            asked = Cell(f"{text}<ul>{''.join(_items(codebook, scale))}</ul>")
            yield Line(scale.label, (asked, text_cell(_scoring(codebook, scale))), section=section)


def _items(codebook: Codebook, scale: Scale) -> Iterator[str]:
    for key in scale.items:
        column = codebook.columns[key]
        turned = " <em>(reversed)</em>" if key in scale.reversed else ""
        yield f"<li>{html.escape(column.question or column.label, quote=False)}{turned}</li>"


def _scoring(codebook: Codebook, scale: Scale) -> str:
    points = codebook.columns[scale.items[0]].levels
    named = "; ".join(f"{value} = {words}" for value, words in points.items())
    return f"{named or f'{scale.low:g} to {scale.high:g}'}. Mean of at least {scale.min_answered} answers."


def _populations(codebook: Codebook, _: str) -> Iterator[Line]:
    roles = {codebook.focal: "focal group", codebook.reference: "reference group"}
    for key, population in codebook.populations.items():
        rule = "; ".join(
            f"{codebook.columns[column].label}: {', '.join(_level(codebook, column, one) for one in levels)}"
            for column, levels in population.where.items()
        )
        yield _line(key, population.label, rule or "everyone who answered", roles.get(key, ""))


def _covariates(codebook: Codebook, _: str) -> Iterator[Line]:
    for name, keys in codebook.covariate_sets.items():
        yield _line(name, "; ".join(codebook.label(key) for key in keys))


def _thresholds(codebook: Codebook, _: str) -> Iterator[Line]:
    for name, value in codebook.thresholds.items():
        yield _line(name.replace("_", " "), number(value, ".10g"))


def _disclosure(codebook: Codebook, _: str) -> Iterator[Line]:
    for name, words in SETTING_WORDS.items():
        yield _line(words, number(getattr(codebook.disclosure, name), ".10g"))


def _coding(codebook: Codebook, _: str) -> Iterator[Line]:
    above = ""
    for smallest, points in codebook.disclosure.percent_coding:
        who = f"{smallest}{above or ' or more'}"
        yield _line(who, f"at most {points} percent", f"at least {100 - points} percent")
        above = f" to {smallest - 1}"


def _level(codebook: Codebook, column: str, level: str) -> str:
    return codebook.columns[column].levels.get(level, level)


def _values(column: Column) -> str:
    if column.levels:
        return "; ".join(
            words if words == value else f"{value}: {words}" for value, words in column.levels.items()
        )
    if column.low is not None and column.high is not None:
        return f"{column.low:g} to {column.high:g}"
    return column.type


def _missing(column: Column) -> str:
    return ", ".join(map(str, column.missing_codes)) or "empty"


def _line(heading: str, *texts: str) -> Line:
    return Line(heading, tuple(text_cell(text) for text in texts))


PARTS: dict[str, tuple[tuple[str, ...], Callable[[Codebook, str], Iterator[Line]]]] = {
    "files": (("File", "What it holds", "Size"), _files),
    "columns": (("Column", "Question or label", "Role", "Values", "Missing"), _columns),
    "scales": (("Scale", "What it asks", "Answers and score"), _scales),
    "populations": (("Key", "Population", "Who belongs to it", "Part in the comparison"), _populations),
    "covariates": (("Set", "Held constant"), _covariates),
    "thresholds": (("Threshold", "Value"), _thresholds),
    "disclosure": (("Rule", "Setting"), _disclosure),
    "coding": (("Behind the share", "Low shares read", "High shares read"), _coding),
}
