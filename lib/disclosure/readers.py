"""Read every file of a finished site the way an attacker would: whatever is packed is unpacked.

``fragments`` yields texts, parsed data and tables, each with its file and its place in the file. Packed
content (gzip, zip, base64, data URIs, JSON in strings, HTML in attributes) is opened in turn.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lib.disclosure.grids import grids_of

DEPTH = 6
BASE64 = re.compile(
    r"(?:data:[\w.+/;=-]*;base64,)?((?:[A-Za-z0-9+/]{4}){24,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)"
)
SHORTEST = 96
IN_BASE64 = bytes(
    65 if chr(code).isalnum() and code < 128 or chr(code) in "+/" else 32 for code in range(256)
)
LITERAL = re.compile(r'(?<=[=(:,\s])(?=\[\s*[\[{"\d-]|\{\s*")')
STRINGS = re.compile(rb"[\x20-\x7e]{6,}")
CODE = (".js", ".mjs", ".css", ".map", ".woff", ".woff2", ".ttf", ".otf", ".ico")
PNG, GZIP, ZIP, PARQUET = b"\x89PNG\r\n\x1a\n", b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
LITERALS = 400


@dataclass(frozen=True)
class Fragment:
    """Something a reader of the site can get at: a text, a parsed value, or a table.

    ``kind`` is ``text``, ``code`` (program text shipped with the site), ``data`` or ``table``; ``caption``
    is what stands over a table.
    """

    file: str
    place: str
    kind: str
    content: object
    caption: str = ""


def fragments(site: Path) -> Iterator[Fragment]:
    """Every fragment of every file below a folder, in the order of the file names."""
    for path in sorted(site.rglob("*")):
        if path.is_file():
            name = path.relative_to(site).as_posix()
            yield Fragment(name, "file name", "text", name)
            yield from opened(name, "", path.read_bytes(), suffix=path.suffix.lower())


def opened(file: str, place: str, raw: bytes, *, suffix: str = "", depth: int = 0) -> Iterator[Fragment]:
    """Fragments of some bytes, by what they are and not by what they are called."""
    if depth > DEPTH:
        return
    if raw.startswith(GZIP):
        yield from opened(file, f"{place} gzip".strip(), _gunzip(raw), depth=depth + 1)
    elif raw.startswith(ZIP):
        yield from _zip(file, place, raw, depth)
    elif raw.startswith(PNG):
        for chunk, text in _png_texts(raw):
            yield from opened(file, f"{place} PNG {chunk}".strip(), text.encode(), depth=depth + 1)
    elif raw.startswith(PARQUET):
        yield Fragment(file, f"{place} Parquet".strip(), "table", pd.read_parquet(io.BytesIO(raw)))
        yield Fragment(file, f"{place} Parquet".strip(), "text", _strings(raw))
    elif b"\0" in raw[:4096]:
        yield Fragment(file, f"{place} bytes".strip(), "code" if suffix in CODE else "text", _strings(raw))
    else:
        yield from told(file, place, raw.decode("utf-8", errors="replace"), suffix=suffix, depth=depth)


def told(file: str, place: str, text: str, *, suffix: str = "", depth: int = 0) -> Iterator[Fragment]:
    """Fragments of a text: HTML, JSON, CSV, program text or words."""
    start = text.lstrip()[:200].lower()
    if suffix in (".html", ".htm", ".svg", ".xml") or start.startswith(
        ("<!doctype", "<html", "<svg", "<table", "<div")
    ):
        from lib.disclosure.pages import page_fragments

        yield from page_fragments(file, place, text, depth=depth)
        return
    data = parsed(text)
    if data is not None:
        yield from valued(file, place, data, depth=depth)
        return
    yield Fragment(file, place or "text", "code" if suffix in CODE else "text", text)
    if suffix in (".csv", ".tsv", ".txt", ".log", ""):
        yield from (Fragment(file, place or "table", "table", table) for table in grids_of(text))
    yield from packed(file, place, text, depth=depth)
    if suffix not in (".css", ".csv"):
        for number, value in enumerate(literals(text)):
            yield from valued(file, f"{place} literal {number}".strip(), value, depth=depth + 1)


def valued(file: str, place: str, data: object, *, depth: int) -> Iterator[Fragment]:
    """A parsed value, and what is packed in its strings."""
    yield Fragment(file, place or "data", "data", data)
    told = list(strings_in(data))
    yield Fragment(file, f"{place} strings".strip(), "text", "\n".join(text for _, text in told))
    for path, text in told:
        if len(text) > 30 and depth < DEPTH:
            yield from _nested(file, f"{place}{path}", text, depth + 1)


def _nested(file: str, place: str, text: str, depth: int) -> Iterator[Fragment]:
    start = text.lstrip()[:1]
    if start in "[{" and parsed(text) is not None:
        yield from valued(file, place, parsed(text), depth=depth)
    elif start == "<":
        yield from told(file, place, text, suffix=".html", depth=depth)
    else:
        yield from packed(file, place, text, depth=depth)
        yield from (Fragment(file, place, "table", table) for table in grids_of(text))


def packed(file: str, place: str, text: str, *, depth: int) -> Iterator[Fragment]:
    """What base64 in a text unpacks to, where that is readable."""
    if len(text) < SHORTEST or depth >= DEPTH or not _has_long_run(text):
        return
    for number, match in enumerate(BASE64.finditer(text)):
        try:
            raw = base64.b64decode(match[1], validate=True)
        except (binascii.Error, ValueError):
            continue
        if raw.startswith((PNG, GZIP, ZIP, PARQUET)) or _readable(raw):
            yield from opened(file, f"{place} base64 {number}".strip(), raw, depth=depth + 1)


def _has_long_run(text: str) -> bool:
    """Whether so many letters of base64 stand in a row; far faster than the pattern."""
    return b"A" * SHORTEST in text.encode("utf-8", "replace").translate(IN_BASE64)


def parsed(text: str) -> object:
    """The JSON value of a text that holds a list or an object, else None."""
    if text.lstrip()[:1] not in ("[", "{"):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def literals(text: str) -> Iterator[object]:
    """Lists and objects written as JSON inside program text, the first few hundred."""
    decoder, reached = json.JSONDecoder(), 0
    for tried, match in enumerate(LITERAL.finditer(text)):
        if tried > LITERALS:
            return
        if match.start() < reached:
            continue
        try:
            value, reached = decoder.raw_decode(text, match.start())
        except ValueError:
            continue
        if len(value) > 1:
            yield value


def strings_in(data: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string in a parsed value, keys included, with the way to it."""
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield f"{path} key", str(key)
            yield from strings_in(value, f"{path}.{key}")
    elif isinstance(data, list):
        for number, value in enumerate(data):
            if isinstance(value, (str, dict, list)):
                yield from strings_in(value, f"{path}[{number}]")


def _gunzip(raw: bytes) -> bytes:
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error):
        return b""


def _zip(file: str, place: str, raw: bytes, depth: int) -> Iterator[Fragment]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for name in archive.namelist():
                inside = f"{place} zip {name}".strip()
                yield from opened(
                    file, inside, archive.read(name), suffix=Path(name).suffix.lower(), depth=depth + 1
                )
    except zipfile.BadZipFile:
        yield Fragment(file, f"{place} bytes".strip(), "text", _strings(raw))


def _png_texts(raw: bytes) -> Iterator[tuple[str, str]]:
    place = len(PNG)
    while place + 8 <= len(raw):
        length, kind = int.from_bytes(raw[place : place + 4]), raw[place + 4 : place + 8]
        body = raw[place + 8 : place + 8 + length]
        if kind in (b"tEXt", b"eXIf"):
            yield kind.decode(), body.replace(b"\0", b" ").decode("latin-1")
        elif kind == b"zTXt":
            name, _, rest = body.partition(b"\0")
            yield "zTXt", name.decode("latin-1") + " " + zlib.decompress(rest[1:]).decode("latin-1")
        elif kind == b"iTXt":
            name, _, rest = body.partition(b"\0")
            text = rest[2:].split(b"\0", 2)[-1]
            text = zlib.decompress(text) if rest[:1] == b"\x01" else text
            yield "iTXt", f"{name.decode('latin-1')} {text.decode('utf-8', 'replace')}"
        place += 12 + length


def _strings(raw: bytes) -> str:
    return "\n".join(found.decode("ascii") for found in STRINGS.findall(raw))


def _readable(raw: bytes) -> bool:
    sample = raw[:400]
    return bool(sample) and sum(32 <= byte < 127 or byte in b"\r\n\t" for byte in sample) > 0.9 * len(sample)
