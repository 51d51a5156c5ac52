"""How fast a filtered page answers: change to redrawn, and page opened to controls usable, in headless Chromium.

Every change counts once, on the machine as it is. Run on a built site: ``python -m benchmarks.filter_redraw``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
from pathlib import Path

from benchmarks.record import write_result
from tests.browser.conftest import FLAGS

SEED = 0  # nothing is drawn
CHANGES = 40
OPENINGS = 10  # the first one also starts the browser's process and is told apart
OPENED = "() => [globalThis.usable, performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd]"
WATCH = """(() => {  // a control can be used once it is laid out: what is chosen before the script ran is kept
  const look = () => { const el = document.querySelector("form.filter select");
    if (el && el.offsetHeight) globalThis.usable = performance.now(); else requestAnimationFrame(look); };
  requestAnimationFrame(look);
})()"""
TIMED = """async (changes) => {
  const form = document.querySelector("form.filter"), times = [];
  const [first, second] = form.querySelectorAll("select:not([name=vs])");
  document.querySelector("figure svg[data-plot]").scrollIntoView();
  const options = [...first.options].flatMap((one) => [...second.options].map((two) => [one.value, two.value]));
  for (let k = 1; k <= changes; k++) {
    [first.value, second.value] = options[k % options.length];
    delete form.dataset.drawn;
    const start = performance.now();
    form.dispatchEvent(new Event("change", { bubbles: true }));
    await Promise.resolve(); await Promise.resolve();
    document.querySelector("figure svg[data-plot]").getBoundingClientRect();
    times.push(performance.now() - start);
    while (!form.dataset.drawn) await new Promise((done) => setTimeout(done, 2));
  }
  return times;
}"""


def measured(page, address: str, slower: int) -> dict[str, float]:
    """Milliseconds of one page with the processor slowed by a factor."""
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.add_init_script(WATCH)
    opened = []
    for _ in range(OPENINGS):
        page.goto(address)
        page.wait_for_function("() => globalThis.usable")
        opened.append(page.evaluate(OPENED))
    usable, listening = (statistics.median(one) for one in zip(*opened[1:], strict=True))
    page.locator("form.filter select").first.focus()
    page.wait_for_selector("form.filter[data-ready]", state="attached")
    times = sorted(page.evaluate(TIMED, CHANGES))
    late = times[int(0.95 * len(times)) - 1]
    return {
        "usable_in_a_new_browser_ms": round(opened[0][0], 1),
        "usable_ms": round(usable, 1),
        "listening_ms": round(listening, 1),
        "redraw_median_ms": round(statistics.median(times), 1),
        "redraw_p95_ms": round(late, 1),
    }


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, default=Path("_site"))
    parser.add_argument("--page", default="chapters/rq1a.html")
    given = parser.parse_args()
    load = round(os.getloadavg()[0], 1)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        found = {
            f"slowed_{slower}": measured(
                browser.new_page(), f"{given.site.resolve().as_uri()}/{given.page}", slower
            )
            for slower in (1, 4)
        }
        browser.close()
    write_result(
        "filter_redraw", seed=SEED, result={"page": given.page, "changes": CHANGES, "load": load, **found}
    )


if __name__ == "__main__":
    main()
