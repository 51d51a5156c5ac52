/* Cells of the chapter's other tables: each names the students of the view. */
(function () {
  "use strict";
  const { anchored, difference, make, told } = globalThis.lwoFilter;

  function computedCells(bar) {
    return Object.keys(bar.give.anchors)
      .map((id) => ({ el: document.getElementById(id), ...anchored(bar, id) }))
      .filter(({ el, key }) => el && isCell(el) && bar.scope.contains(el) && bar.data.keys.has(key))
      .map((one) => ({ ...one, own: Array.from(one.el.childNodes) }));
  }

  const isCell = (el) => ["TD", "TR"].includes(el.tagName) && !el.closest("details.data");

  function showCells(bar) {
    bar.cells = bar.cells || computedCells(bar);
    bar.cells.forEach((one) => showCell(bar, one));
  }

  // a cell, or a line of a table after its heading
  function showCell(bar, { el, side, key, own }) {
    if (bar.isHome()) {
      el.replaceChildren(...own);
      return;
    }
    const test = difference(bar.view, key);
    const words = side === "gap" ? [line(test || "not given")] : groupLines(bar, side, key);
    if (el.tagName === "TD") {
      el.replaceChildren(...words);
      return;
    }
    const tested = test && side === "a" ? [line(test)] : [];
    el.replaceChildren(own[0], make("td", { colspan: own.length - 1 }, ...words, ...tested));
  }

  // a page that shows two groups has a cell for each; another has one cell for both
  function groupLines({ home, view }, side, key) {
    const groups = { a: view.a, b: view.b };
    const names = home.vs ? [side] : ["a", "b"];
    const shown = names.map((name) => groups[name]).filter(Boolean);
    return shown.map((group) => line(`${group.label}: ${told(group, key)}`));
  }

  const line = (text) => make("span", { class: "view-cell" }, text);

  Object.assign(globalThis.lwoFilter, { showCells });
})();
