"""Arithmetic on labels, as in ``indirect := a*b`` or ``b1 == 2*b2``.

An expression is evaluated on numbers, on arrays of any shape and on complex numbers, so that one and the
same text gives estimates, bootstrap draws and exact derivatives (complex step).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lib.errors import ModelError

FUNCTIONS = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt}
OPERATIONS = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.true_divide, "^": np.power}


@dataclass(frozen=True)
class Expression:
    """A tree of ``("number", x)``, ``("name", label)``, ``("call", f, tree)`` and ``(operator, left, right)``."""

    tree: tuple
    text: str

    def names(self) -> tuple[str, ...]:
        """The labels that the expression uses, in order of first use."""
        return tuple(dict.fromkeys(_names(self.tree)))

    def evaluate(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """The value of the expression.

        Parameters
        ----------
        values : mapping of str to float or ndarray
            One entry per label; arrays must broadcast against each other.
        """
        # a zero denominator is a legitimate draw: the caller sees inf or NaN and counts it
        with np.errstate(divide="ignore", invalid="ignore"):
            return _evaluate(self.tree, values)


def parse_expression(tokens: list) -> Expression:
    """Read tokens (the last one the end token) by the usual precedence: ^, then * and /, then + and -."""
    reader = _Arithmetic(tokens)
    tree = reader.sum()
    if reader.token.kind != "end":
        raise reader.fail("an operator or the end of the statement")
    return Expression(tree, "".join(token.text for token in tokens))


class _Arithmetic:
    def __init__(self, tokens: list):
        self.tokens = tokens
        self.place = 0

    @property
    def token(self):
        return self.tokens[self.place]

    def fail(self, expected: str) -> ModelError:
        token = self.token
        found = "the end of the statement" if token.kind == "end" else f"'{token.text}'"
        return ModelError(
            f"model line {token.line}, column {token.column}: found {found}, expected {expected}"
        )

    def take(self):
        self.place += 1
        return self.tokens[self.place - 1]

    def sum(self) -> tuple:
        tree = self.product()
        while self.token.text in ("+", "-") and self.token.kind == "op":
            tree = (self.take().text, tree, self.product())
        return tree

    def product(self) -> tuple:
        tree = self.signed()
        while self.token.text in ("*", "/") and self.token.kind == "op":
            tree = (self.take().text, tree, self.signed())
        return tree

    def signed(self) -> tuple:
        if self.token.text == "-" and self.token.kind == "op":
            self.take()
            return ("-", ("number", 0.0), self.signed())
        return self.power()

    def power(self) -> tuple:
        base = self.atom()
        if self.token.text == "^":
            self.take()
            return ("^", base, self.signed())
        return base

    def atom(self) -> tuple:
        token = self.token
        if token.kind == "number":
            return ("number", float(self.take().text))
        if token.kind == "name":
            name = self.take().text
            if self.token.text != "(":
                return ("name", name)
            if name not in FUNCTIONS:
                self.place -= 1
                raise self.fail("a label or one of the functions " + ", ".join(FUNCTIONS))
            return ("call", name, self.bracket())
        if token.text == "(":
            return self.bracket()
        raise self.fail("a label, a number or '('")

    def bracket(self) -> tuple:
        self.take()
        tree = self.sum()
        if self.token.text != ")":
            raise self.fail("')'")
        self.take()
        return tree


def _names(tree: tuple) -> list[str]:
    if tree[0] == "name":
        return [tree[1]]
    return [name for branch in tree[1:] if isinstance(branch, tuple) for name in _names(branch)]


def _evaluate(tree: tuple, values: Mapping[str, np.ndarray]) -> np.ndarray:
    kind = tree[0]
    if kind == "number":
        return np.float64(tree[1])
    if kind == "name":
        return values[tree[1]]
    if kind == "call":
        return FUNCTIONS[tree[1]](_evaluate(tree[2], values))
    return OPERATIONS[kind](_evaluate(tree[1], values), _evaluate(tree[2], values))
