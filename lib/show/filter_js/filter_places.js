/* Places: what a view says where a row of the chapter stands (lib/report/filter_places.py). */
(function () {
  "use strict";
  const { difference, isClear, tested, told, toldCell } = globalThis.lwoFilter;
  const NOT_COMPUTED = "not computed for other students";

  // of the table that a row stands in, or of the page
  function placeOf({ give }, id, frame) {
    const places = give.places || {};
    const table = (frame && frame.closest("[id]")) || {};
    const inTable = places[`${table.id} ${id}`];
    const said = inTable === undefined ? places[id] : inTable;
    if (!said) return { side: "none" };
    if (said === "=") return { side: "same" };
    if (said.key) return { side: "part", ...said };
    const [prefix, side] = /^(b|gap):/.exec(said) || ["", "a"];
    return { side, key: said.slice(prefix.length) };
  }

  const isKnown = ({ data }, { key }) => data.keys.has(key);

  // what is said there, a line for each group
  function saidAt(bar, place) {
    if (!isKnown(bar, place)) return [NOT_COMPUTED];
    if (place.side === "gap") return [difference(bar.view, place.key) || NOT_COMPUTED];
    if (place.side === "part") return bar.view.part(place).map((one) => partWords(one, bar.view.alpha));
    return groupsAt(bar, place).map((group) => `${group.label}: ${told(group, place.key)}`);
  }

  const partWords = ({ label, cell, tests }, alpha) =>
    `${label}: ${tests === undefined ? toldCell(cell) : tested(cell, tests, alpha)}`;

  // a page that shows two groups has a place for each; another has one place for both
  function groupsAt({ home, view }, { side }) {
    const groups = { a: view.a, b: view.b };
    const names = home.vs ? [side] : ["a", "b"];
    return names.map((name) => groups[name]).filter(Boolean);
  }

  // how many of several differences are clear after correction: of the view's two groups, or within the first
  function clearOf({ view }, places) {
    const cells = places.map((place) =>
      place.side === "gap" ? view.gap(place.key) : view.part(place)[0].cell,
    );
    const shown = cells.filter((cell) => cell && cell.shown);
    return [shown.filter((cell) => isClear(cell, view.alpha)).length, shown.length];
  }

  Object.assign(globalThis.lwoFilter, { NOT_COMPUTED, placeOf, isKnown, saidAt, clearOf });
})();
