/* Cells of the chapter's other tables: each names the students of the view, or says that it has nothing of them. */
(function () {
  "use strict";
  const { $$, difference, frameOf, isKnown, make, placeOf, saidAt } = globalThis.lwoFilter;
  const ROWS = '[id^="row-"], [data-at]';

  // tables whose rows a view moves, with their cells; those of which it moves none are the same for every view
  function computedTables(bar) {
    const cells = $$(ROWS, bar.scope)
      .filter(isCell)
      .map((el) => cellOf(bar, el));
    const frames = [...new Set(cells.map(({ frame }) => frame))];
    return frames.map((frame) => {
      const moved = cells.filter((one) => one.frame === frame && one.place.side !== "same");
      return { frame, cells: moved };
    });
  }

  const isCell = (el) => ["TD", "TR"].includes(el.tagName) && !el.closest("details.data");

  function cellOf(bar, el) {
    const frame = frameOf(el) || el.closest("table");
    const place = placeOf(bar, el.dataset.at || el.id, frame);
    return { el, frame, place, own: Array.from(el.childNodes) };
  }

  const showCells = (bar, { cells }) => cells.forEach((one) => showCell(bar, one));

  // a cell, or a line of a table after its heading
  function showCell(bar, { el, place, own }) {
    if (bar.isHome()) {
      el.replaceChildren(...own);
      return;
    }
    const words = saidAt(bar, place).map(line);
    if (el.tagName === "TD") {
      el.replaceChildren(...words);
      return;
    }
    const test = place.side === "a" && isKnown(bar, place) ? difference(bar.view, place.key) : "";
    el.replaceChildren(
      own[0],
      make("td", { colspan: own.length - 1 }, ...words, ...(test ? [line(test)] : [])),
    );
  }

  const line = (text) => make("span", { class: "view-cell" }, text);

  Object.assign(globalThis.lwoFilter, { computedTables, showCells });
})();
