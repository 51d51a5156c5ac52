"""The model language: lavaan's syntax, read into statements.

Follows Rosseel (2012, J. Stat. Softw. 48(2), section 3). Understood are the operators ``=~ ~ ~~ ~1 := ==``,
labels (``a*x``), values (``0.5*x``), ``NA*``, ``start(0.5)*``, one modifier per group (``c(a1, a2)*x``), ``#``
and ``!`` comments, several statements on a line (``;``) and formulas running over several lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from lib.errors import ModelError
from lib.sem.expressions import Expression, parse_expression

OPERATORS = ("=~", "~~", "~1", "~", ":=", "==")
TOKEN = re.compile(
    r"(?P<space>[ \t\r]+)|(?P<comment>[#!][^\n]*)|(?P<newline>\n)|(?P<end>;)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<op>=~|~~|:=|==|~|[-+*/^(),])"
    r"|(?P<name>[^\W\d][\w.]*)"
)


@dataclass(frozen=True)
class Token:
    """One word of the model text with its place (line and column count from 1)."""

    kind: str
    text: str
    line: int
    column: int


@dataclass(frozen=True)
class Term:
    """One row that the model text asks for: ``lhs op rhs`` with its modifiers, one per group or one for all.

    ``values`` holds a number (fixed), NaN (``NA*``: free) or None (not said); ``labels`` a name or None;
    ``starts`` a number or None. The right side of an intercept is the empty string, as in lavaan.
    """

    lhs: str
    op: str
    rhs: str
    values: tuple[float | None, ...] = (None,)
    labels: tuple[str | None, ...] = (None,)
    starts: tuple[float | None, ...] = (None,)


@dataclass(frozen=True)
class Model:
    """A model text read: its terms, defined parameters (``:=``) and equality constraints (``==``)."""

    terms: tuple[Term, ...]
    definitions: tuple[tuple[str, Expression], ...]
    constraints: tuple[tuple[Expression, Expression], ...]


@lru_cache(maxsize=256)
def parse_model(text: str) -> Model:
    """Read a model in lavaan's syntax.

    Parameters
    ----------
    text : str
        The model, see the module's docstring.

    Returns
    -------
    Model
        Terms in the order written; several mentions of one term are joined, as in ``a*x + start(0.5)*x``.

    Raises
    ------
    ModelError
        If the text cannot be read; names line, column and what was expected.
    """
    terms: dict[tuple[str, str, str], Term] = {}
    definitions, constraints = [], []
    for tokens in _statements(text):
        reader = _Reader(tokens)
        position, operator = reader.find_operator()
        if operator in (":=", "=="):
            left, right = tokens[:position], tokens[position + 1 :]
            if operator == "==":
                constraints.append((parse_expression([*left, _end_of(left)]), parse_expression(right)))
            else:
                if len(left) != 1 or left[0].kind != "name":
                    raise fail(left[0], "one new name before ':='")
                definitions.append((left[0].text, parse_expression(right)))
            continue
        for term in reader.formula(operator):
            key = (term.lhs, term.op, term.rhs)
            terms[key] = _join(terms[key], term) if key in terms else term
    if not terms:
        raise ModelError("the model text holds no formula; write at least one of =~, ~ or ~~")
    return Model(tuple(terms.values()), tuple(definitions), tuple(constraints))


def read_expression(text: str) -> Expression:
    """Read one arithmetic expression in labels, such as ``a1*b1 - a2*b2``.

    Raises
    ------
    ModelError
        If it cannot be read; names line, column and what was expected.
    """
    tokens = [token for token in _tokenize(text) if token.kind != "newline"]
    if not tokens:
        raise ModelError("an expression in labels is empty; write one such as 'a*b'")
    return parse_expression([*tokens, _end_of(tokens)])


def fail(token: Token, expected: str) -> ModelError:
    """The error for a token that does not belong where it stands."""
    found = "the end of the statement" if token.kind == "end" else f"'{token.text}'"
    return ModelError(f"model line {token.line}, column {token.column}: found {found}, expected {expected}")


def _end_of(tokens: list[Token]) -> Token:
    last = tokens[-1]
    return Token("end", "", last.line, last.column + len(last.text))


def _tokenize(text: str) -> list[Token]:
    tokens, place, line, start = [], 0, 1, 0
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            stray = Token("stray", text[place], line, place - start + 1)
            raise fail(stray, "a name, a number or an operator (=~ ~ ~~ ~1 := ==)")
        kind = match.lastgroup
        if kind not in ("space", "comment"):
            tokens.append(Token(kind, match.group(), line, place - start + 1))
        place = match.end()
        if kind == "newline":
            line, start = line + 1, place
    return tokens


def _statements(text: str):
    """Token lists, one per statement, each closed by an end token; a formula may run over several lines."""
    current: list[Token] = []
    depth = 0
    tokens = _tokenize(text)
    for here, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.kind == "newline":
            following = next((t for t in tokens[here + 1 :] if t.kind != "newline"), None)
            runs_on = bool(current) and current[-1].kind == "op" and current[-1].text != ")"
            carried = following is not None and following.kind == "op" and following.text not in "(-"
            if depth > 0 or runs_on or carried or not current:
                continue
        elif token.kind != "end":
            current.append(token)
            continue
        if current:
            yield [*current, _end_of(current)]
        current = []
    if current:
        yield [*current, _end_of(current)]


def _join(first: Term, second: Term) -> Term:
    """Two mentions of one term; what the second says fills what the first left open."""

    def pick(one: tuple, other: tuple) -> tuple:
        return other if all(value is None for value in one) else one

    return Term(
        first.lhs,
        first.op,
        first.rhs,
        pick(first.values, second.values),
        pick(first.labels, second.labels),
        pick(first.starts, second.starts),
    )


class _Reader:
    """Reads one statement, token by token."""

    def __init__(self, tokens: list[Token]):
        self.tokens = tokens
        self.place = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def take(self, *, text: str | None = None, kind: str | None = None, expected: str) -> Token:
        token = self.token
        if (text is not None and token.text != text) or (kind is not None and token.kind != kind):
            raise fail(token, expected)
        self.place += 1
        return token

    def find_operator(self) -> tuple[int, str]:
        for place, token in enumerate(self.tokens):
            if token.text in OPERATORS and token.kind == "op":
                if place == 0:
                    raise fail(token, f"a variable before '{token.text}'")
                return place, token.text
        raise fail(self.tokens[-1], "one of the operators =~ ~ ~~ ~1 := ==")

    def formula(self, operator: str) -> list[Term]:
        left = [self.take(kind="name", expected="a variable").text]
        while self.token.text == "+":
            self.place += 1
            left.append(self.take(kind="name", expected="a variable after '+'").text)
        self.take(text=operator, expected=f"'+' or '{operator}'")
        terms = []
        while True:
            terms += self.right_side(left, operator)
            if self.token.kind == "end":
                return terms
            self.take(text="+", expected="'+' or the end of the statement")

    def right_side(self, left: list[str], operator: str) -> list[Term]:
        values, labels, starts = (None,), (None,), (None,)
        while True:
            first = self.token
            said = self.modifier()
            if self.token.text != "*":
                break
            self.place += 1
            kinds = {kind for kind, _ in said}
            if "start" in kinds:
                starts = tuple(value for _, value in said)
            elif "label" in kinds and len(kinds) == 1:
                labels = tuple(value for _, value in said)
            elif "label" in kinds:
                labels = tuple(value if kind == "label" else None for kind, value in said)
                values = tuple(value if kind == "value" else None for kind, value in said)
            else:
                values = tuple(value for _, value in said)
        (kind, value), *more = said
        if more or kind == "start" or (kind == "value" and not (operator == "~" and value == 1.0)):
            raise fail(first, "a variable" + (" or 1" if operator == "~" else ""))
        intercept = kind == "value"
        op, rhs = ("~1", "") if intercept else (operator, value)
        return [Term(lhs, op, rhs, values, labels, starts) for lhs in left]

    def modifier(self) -> list[tuple[str, object]]:
        """A name, a number, ``start(...)`` or ``c(...)``, as (kind, value) pairs, one per group."""
        token = self.token
        if token.kind == "name" and self.tokens[self.place + 1].text == "(":
            if token.text not in ("c", "start"):
                raise fail(token, "c(...) or start(...)")
            self.place += 2
            inside = self.modifier()
            while self.token.text == ",":
                self.place += 1
                inside += self.modifier()
            self.take(text=")", expected="',' or ')'")
            return [("start", value) for _, value in inside] if token.text == "start" else inside
        sign = 1.0
        if token.text == "-":
            self.place += 1
            sign = -1.0
        token = self.take(expected="a variable")
        if token.kind == "number":
            return [("value", sign * float(token.text))]
        if token.kind != "name" or sign < 0:
            raise fail(token, "a number" if sign < 0 else "a variable, a label or a number")
        return [("value", float("nan"))] if token.text == "NA" else [("label", token.text)]
