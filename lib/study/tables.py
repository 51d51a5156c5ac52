"""Read a study's tables as the codebook says they are written, and convert their columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lib.study.codebook import Codebook, Column, FileSpec


def read_table(folder: Path, spec: FileSpec) -> pd.DataFrame:
    """A table with every cell as text and empty cells as missing (Parquet keeps its own types)."""
    path = folder / spec.path
    if path.is_dir() or path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(
        path, sep=spec.delimiter, encoding="utf-8-sig" if spec.encoding == "utf-8" else spec.encoding,
        dtype=str, keep_default_na=False, na_values=[""],
    )  # fmt: skip


def convert_table(table: pd.DataFrame, codebook: Codebook, kind: str) -> pd.DataFrame:
    """Columns of the codebook in its order and types: numbers as float, categories with its levels."""
    decimal = codebook.files[kind].decimal
    return pd.DataFrame(
        {
            key: convert_column(table[key], column, decimal=decimal)
            for key, column in codebook.columns_of(kind).items()
        }
    )


def convert_column(values: pd.Series, column: Column, *, decimal: str = ".") -> pd.Series:
    """One column in its codebook type, missing codes as missing."""
    text = as_text(values)
    text = text.mask(text.isin([str(code) for code in column.missing_codes]))
    if column.type in ("number", "ordinal"):
        return pd.to_numeric(text.str.replace(decimal, ".", regex=False), errors="coerce").astype(float)
    if column.type == "category":
        return pd.Series(pd.Categorical(text, categories=list(column.levels)), index=values.index)
    return text


def as_text(values: pd.Series) -> pd.Series:
    """Cells as the text that a CSV file would hold: 3.0 as ``3``, missing as missing."""
    if pd.api.types.is_bool_dtype(values):
        return values.map({True: "yes", False: "no"}).astype("str")
    if pd.api.types.is_numeric_dtype(values):
        whole = values.dropna()
        if (whole == whole.round()).all():
            return values.astype("Int64").astype("str").where(values.notna())
        return values.astype("str").where(values.notna())
    return values.astype("str").str.strip().where(values.notna())
