/* Explore: any two subgroups side by side, one result over many subgroups, and a ranking.
   Reads the cube of a chapter. */
(function () {
  "use strict";
  const lwo = globalThis.lwoFilter;
  const { $$, make, pairTable, panels, ranked, rankTable, resultLabel } = lwo;
  const LEVEL = 0.95;
  const Z = 1.959964; // of the cube's intervals
  const IN_ADDRESS = ["result", "set", "first", "second", "find"];

  function start(root) {
    const form = root.querySelector("form");
    const output = form.querySelector("output");
    lwo.fetchCube(lwo.settings(root)).then(
      (cube) => run(root, form, output, lwo.read(cube)),
      () => (output.textContent = "The results by subgroup could not be loaded."),
    );
  }

  function run(root, form, output, data) {
    const groups = subgroups(data);
    const page = {
      data,
      groups,
      output,
      sets: severalIn(groups),
      controls: form.elements,
      charts: root.querySelector(".charts"),
      board: root.querySelector(".board"),
      pair: root.querySelector(".side-by-side"),
      order: "rank",
      down: false,
    };
    offer(page);
    choose(page);
    form.addEventListener("change", () => update(page));
    form.addEventListener("input", (event) => {
      if (event.target.name === "find") rankTable(page, results(page));
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    update(page);
    root.dataset.ready = "";
  }

  function subgroups(data) {
    const { cube, dims } = data.cube;
    return cube.n.map((n, place) => {
      const levels = dims.map((dim) => [dim.name, dim.values[cube[dim.name][place]]]);
      const chosen = Object.fromEntries(levels.filter(([, level]) => level));
      return { place, n, chosen, label: data.label(chosen), set: Object.keys(chosen).join("+") };
    });
  }

  // the sets of columns that make more than one subgroup
  function severalIn(groups) {
    const sets = [...new Set(groups.map((group) => group.set))];
    return sets.filter((set) => set && groups.filter((group) => group.set === set).length > 1);
  }

  function titleOf(data, set) {
    const labels = set.split("+").map((name) => data.column(name).label);
    return labels.join(" \u00d7 ");
  }

  function offer({ controls, data, groups, sets }) {
    const places = groups.map((group) => [group.place, group.label]);
    const lists = {
      result: data.ofGroups.map((entry) => [entry.key, entry.label]),
      set: sets.map((set) => [set, titleOf(data, set)]),
      first: places,
      second: places,
    };
    for (const name in lists) {
      const options = lists[name].map(([value, text]) => make("option", { value }, text));
      controls[name].replaceChildren(...options);
    }
  }

  // the two largest groups, then what the address says
  function choose({ controls, groups, sets }) {
    const largest = groups.filter((group) => group.set === sets[0]).sort((a, b) => b.n - a.n);
    ["first", "second"].forEach((name, i) => {
      if (largest[i]) controls[name].value = largest[i].place;
    });
    const saved = new URLSearchParams(location.search);
    Array.from(controls).forEach((control) => {
      if (control.name && saved.has(control.name)) control.value = saved.get(control.name);
      if (control.tagName === "SELECT" && control.selectedIndex < 0) control.selectedIndex = 0;
    });
  }

  function results({ controls, data, groups }) {
    const key = controls.result.value;
    const all = groups
      .filter((group) => group.set === controls.set.value)
      .map((group) => ({ ...group, cell: data.cell("own", group.place, key) }));
    const known = all.filter(({ cell }) => cell.shown && cell.low !== null);
    const measured = known.map((group) => {
      const { estimate, low, high } = group.cell;
      return { ...group, estimate, error: (high - low) / 2 / Z };
    });
    return { key, missing: all.filter(({ cell }) => !cell.shown), shown: ranked(measured, LEVEL) };
  }

  function update(page) {
    const { charts, controls, data, groups, output } = page;
    const found = results(page);
    const set = controls.set.value;
    charts.replaceChildren(...panels(page, set, titleOf(data, set), found.shown));
    rankTable(page, found);
    pairTable(page, groups[controls.first.value], groups[controls.second.value]);
    output.textContent = told(resultLabel(data, found.key), found);
    remember(controls);
  }

  function told(label, { shown, missing }) {
    const gone = missing.length ? `; ${missing.length} are not shown` : "";
    return `Exploratory: ${label} in ${shown.length} subgroups${shown.length ? highest(shown) : ""}${gone}.`;
  }

  function highest(shown) {
    if (!shown.some((group) => group.best > 1))
      return "; their intervals overlap, so none can be ranked above another";
    const [{ label, best, worst }] = shown;
    return `; the highest estimate is that of ${label}, which may rank from ${best} to ${worst}`;
  }

  function remember(controls) {
    const url = new URL(location.href);
    IN_ADDRESS.forEach((name) => url.searchParams.set(name, controls[name].value));
    try {
      history.replaceState(null, "", url);
    } catch (error) {
      // a sandboxed frame
    }
  }

  lwo.whenRead(() => $$("section.explore", document).forEach(start));
})();
