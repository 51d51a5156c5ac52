"""Serving the site while it is written: a page is rebuilt when its sources change, and the browser reloads it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lib.errors import ReportError
from lib.report.build import build
from lib.report.project import load_project

WATCHED = ("chapters", "lib", "data")
EVERY = 0.5  # seconds between two looks at the files
RELOAD = b"""<script>(function poll(was) {
  fetch("/__built").then(r => r.text())
    .then(now => { if (was && now !== was) location.reload(); else setTimeout(poll, 700, now); })
    .catch(() => setTimeout(poll, 1500, was));
})();</script>"""


class Reloading(SimpleHTTPRequestHandler):
    """Serves the site from disk; pages learn from ``/__built`` that they are out of date."""

    built = "0"

    def do_GET(self) -> None:
        if self.path == "/__built":
            self._send(type(self).built.encode(), "text/plain")
            return
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if path.suffix == ".html" and path.is_file():
            # the policy of the published page forbids inline scripts; this copy is for its author alone
            page = path.read_bytes().replace(b"Content-Security-Policy", b"X-Not-In-Preview")
            self._send(page.replace(b"</body>", RELOAD + b"</body>"), "text/html; charset=utf-8")
            return
        super().do_GET()

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        """Requests are not worth a line each."""


def serve(
    *,
    study: str | Path | None,
    port: int,
    say: Callable[[str], None],
    debug: bool = False,
    stop: threading.Event | None = None,
    out: str | Path = "_site",
) -> None:
    """Build, serve and rebuild until stopped.

    Parameters
    ----------
    study : path, optional
        The study folder.
    port : int
        On this machine only.
    say : callable
        Told what happens, a line at a time.
    debug : bool
        As of ``build``.
    stop : Event, optional
        Ends the serving; without it the keyboard does.
    out : path
        The site folder.
    """
    root = load_project().root
    stop = stop or threading.Event()
    rebuild(study, out, say, debug)
    handler = partial(Reloading, directory=str(Path(out).resolve()))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        say(f"http://127.0.0.1:{server.server_address[1]}/  (stop with Ctrl-C)")
        seen = newest(root, study)
        while not stop.wait(EVERY):
            now = newest(root, study)
            if now != seen:
                seen = now
                rebuild(study, out, say, debug)
        server.shutdown()


def rebuild(study: str | Path | None, out: str | Path, say: Callable[[str], None], debug: bool) -> None:
    """Build what is out of date; a mistake is told and the last site stays."""
    started = time.monotonic()
    try:
        built = build(study=study, out=out, debug=debug)
    except ReportError as error:
        say(f"not built: {error}")
        return
    Reloading.built = str(time.time())
    ran = ", ".join(built.ran) or "nothing run"
    say(f"built in {time.monotonic() - started:.1f} s ({ran})")


def newest(root: Path, study: str | Path | None) -> float:
    """Time of the last change to anything a build reads."""
    folders = [root / name for name in WATCHED] + ([Path(study)] if study else [])
    files = [path for folder in folders for path in folder.rglob("*") if "__pycache__" not in path.parts]
    return max(
        (path.stat().st_mtime for path in [*files, root / "_quarto.yml"] if path.is_file()), default=0.0
    )
