"""One browser for all page tests, the site they look at, and a server for it."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, which can reach this machine only."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not on PATH; install it, on Debian by `apt-get install chromium`")
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed; install the lock with `make test`"
    )
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def site(request) -> Path:
    """A built site: the one named by LWO_TEST_SITE, or the report, built once for the whole run."""
    named = os.environ.get("LWO_TEST_SITE")
    return Path(named).resolve() if named else request.getfixturevalue("built").site


@pytest.fixture(scope="session")
def served(site):
    """Address of the site on a server of this machine."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            """Stay quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=site))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["http", "file"])
def base(request, site) -> str:
    """The site's address: from the server, or from the folder itself."""
    return request.getfixturevalue("served") if request.param == "http" else site.as_uri() + "/"


@pytest.fixture(scope="session")
def pages(site) -> list[str]:
    """Addresses of all pages within the site."""
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))


@dataclass
class Visit:
    """An open tab, and what it complained of or asked for so far."""

    page: object
    base: str
    console: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, path: str):
        """Go to a page of the site."""
        self.page.goto(self.base + path)
        return self.page


@contextmanager
def opened_tab(browser, base: str, *, size: str = "desktop", scheme: str = "light", **options):
    """A tab of its own on an address, with what it complains of and asks for."""
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme, **options)
    tab = Visit(context.new_page(), base)
    tab.page.on("console", lambda message: tab.console.append(f"{tab.page.url}: {message.text}"))
    tab.page.on("pageerror", lambda error: tab.console.append(f"{tab.page.url}: {error}"))

    def note(request):
        if not request.url.startswith((base, "data:", "blob:")):
            tab.outside.append(request.url)

    tab.page.on("request", note)
    yield tab
    context.close()


@pytest.fixture
def visit(browser):
    """Open a tab on an address: ``visit(base, size="phone", scheme="dark")``."""
    with ExitStack() as tabs:
        yield lambda base, **options: tabs.enter_context(opened_tab(browser, base, **options))
