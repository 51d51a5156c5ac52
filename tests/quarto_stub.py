"""A stand-in for the program ``quarto``, as its documentation and its output describe it.

``quarto render PROJECT --to html --no-execute`` announces each page as "[1/7] index.ipynb" on stderr,
writes the output-dir of ``_quarto.yml`` and ends with "Output created: ..."; a failure prints "ERROR: ..."
and exits with 1. The pages carry what Quarto's templates carry: inline scripts, a polyfill and fonts of
other hosts, a search that fetches ``search.json``. A page whose source holds the word FAIL makes it fail.
"""

import json
import sys
from pathlib import Path

import yaml

PAGE = """<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head>
<meta charset="utf-8"><title>{name}</title>
<link href="https://fonts.example.org/css?family=Source+Sans+Pro" rel="stylesheet">
<link rel="canonical" href="https://report.example.org/{name}.html">
<link href="{up}site_libs/bootstrap/bootstrap.min.css" rel="stylesheet">
<script src="https://cdnjs.example.org/polyfill/v3/polyfill.min.js?features=es6"></script>
<script src="{up}site_libs/quarto-search/quarto-search.js"></script>
<script id="quarto-search-options" type="application/json">{{"limit": 50}}</script>
</head><body class="nav-sidebar">
<main class="content" id="quarto-document-content"><h1>{name}</h1></main>
<script id = "quarto-html-after-body" type="application/javascript">window.quartoRan = "{name}";</script>
<script>fetch("{up}search.json").then((found) => found.json()).then((all) => {{ window.searchSize = all.length; }});</script>
</body></html>
"""
STYLE = """@import"https://fonts.example.org/css2?family=Source+Sans+Pro:wght@300&display=swap";
@font-face { font-family: x; src: url(https://fonts.example.org/x.woff2); }
"""


def install(folder: Path) -> str:
    """Write the stand-in as ``bin/quarto`` of a folder; returns the PATH that finds it."""
    program = folder / "bin" / "quarto"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "$@"\n')
    program.chmod(0o755)
    return f"{program.parent}:/usr/bin:/bin"


def main(arguments: list[str]) -> int:
    """Render the project named by the second argument."""
    project = Path(arguments[1])
    settings = yaml.safe_load((project / "_quarto.yml").read_text())
    entries = settings["book"]["chapters"] + settings["book"].get("appendices", [])
    sources = [s for e in entries for s in ([e] if isinstance(e, str) else e["chapters"])]
    out = project / settings["project"]["output-dir"]
    for number, source in enumerate(sources, start=1):
        print(f"\x1b[1m[{number}/{len(sources)}] {source}\x1b[22m", file=sys.stderr)
        if "FAIL" in (project / source).read_text():
            print(f"\x1b[31mERROR: {project / source}: the cell could not be read\x1b[39m", file=sys.stderr)
            return 1
        target = (out / source).with_suffix(".html")
        target.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * source.count("/")
        extra = (
            '<img src="https://pictures.example.org/a.png">'
            if "PICTURE" in (project / source).read_text()
            else ""
        )
        target.write_text(PAGE.format(name=Path(source).stem, up=up).replace("</main>", extra + "</main>"))
    (out / "search.json").write_text(json.dumps([{"objectID": "index.html", "text": "</script> words"}]))
    for name, text in (
        ("bootstrap/bootstrap.min.css", STYLE),
        ("quarto-search/quarto-search.js", "// local\n"),
    ):
        (out / "site_libs" / name).parent.mkdir(parents=True)
        (out / "site_libs" / name).write_text(text)
    (out / "settings.json").write_text(json.dumps({"arguments": arguments, "settings": settings}))
    print(f"\nOutput created: {out.name}/index.html\n", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
