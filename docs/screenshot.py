"""Make the README's picture from the built site: `.venv/bin/python docs/screenshot.py`."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


def main() -> None:
    """Photograph the evidence of chapter 1a, as a reader meets it on a laptop."""
    page_file = ROOT / "_site" / "chapters" / "rq1a.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        page.goto(page_file.as_uri())
        page.evaluate("document.getElementById('fig-exhibit-12').scrollIntoView({block: 'center'})")
        page.wait_for_timeout(1000)  # until the page has come to rest
        page.screenshot(path=ROOT / "docs" / "chapter.png")
        browser.close()


if __name__ == "__main__":
    main()
