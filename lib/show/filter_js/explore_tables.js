/* Tables of the explore page: subgroups ranked, which a reader sorts, and two groups side by side. */
(function () {
  "use strict";
  const { count, mainKeys, make, number, pText, resultLabel, value } = globalThis.lwoFilter;
  const COLUMNS = {
    label: "Subgroup",
    n: "n",
    estimate: "Estimate",
    shrunken: "Shrunken",
    rank: "Rank",
    spread: "Rank interval",
  };

  const header = (text) => make("th", { scope: "row" }, text);
  const figures = (text) => make("td", { class: "n" }, text);
  const withheld = (why, colspan = null) => make("td", { class: "withheld", colspan }, make("span", {}, why));

  function table(caption, heads, rows) {
    const head = make("thead", {}, make("tr", {}, ...heads));
    return make("table", {}, make("caption", { class: "sr" }, caption), head, make("tbody", {}, ...rows));
  }

  function rankTable(page, { shown, missing }) {
    const wanted = page.controls.find.value.trim().toLowerCase();
    const found = (group) => group.label.toLowerCase().includes(wanted);
    const again = () => rankTable(page, { shown, missing });
    const heads = Object.keys(COLUMNS).map((name) => sortHead(page, name, again));
    const rows = shown.filter(found).sort(inOrder(page)).map(rankRow);
    const gone = missing.filter(found).map(missingRow);
    page.board.replaceChildren(table("Subgroups", heads, [...rows, ...gone]));
  }

  function inOrder({ order, down }) {
    const by = (group) => (order === "spread" ? group.worst - group.best : group[order]);
    const sign = down ? -1 : 1;
    return (one, two) => sign * (by(one) > by(two) ? 1 : by(one) < by(two) ? -1 : 0);
  }

  function sortHead(page, name, again) {
    const button = make("button", { type: "button" }, COLUMNS[name]);
    button.addEventListener("click", () => {
      page.down = page.order === name && !page.down;
      page.order = name;
      again();
      page.board.querySelector("th[aria-sort] button").focus();
    });
    const sorted = page.order === name ? (page.down ? "descending" : "ascending") : null;
    return make("th", { scope: "col", class: name === "label" ? null : "n", "aria-sort": sorted }, button);
  }

  function rankRow(group) {
    const shrunken = number(Math.round(group.shrunken), 2);
    const ranks = [String(group.rank), `${group.best} to ${group.worst}`];
    const cells = [count(group.n), value(group.cell), shrunken, ...ranks];
    return make("tr", {}, header(group.label), ...cells.map(figures));
  }

  const missingRow = ({ cell, label }) => make("tr", {}, header(label), withheld(cell.why, 5));

  function pairTable({ data, pair }, one, two) {
    const titles = [one, two].map((group) => `${group.label} (n = ${count(group.n)})`);
    const heads = ["Measure", ...titles, "Difference"].map((text, i) =>
      make("th", { scope: "col", class: i ? "n" : null }, text),
    );
    const rows = mainKeys(data.cube).map((key) => {
      const cells = [one, two].map((group) => result(data.cell("own", group.place, key)));
      const test = difference(data.gap(one.place, two.place, key));
      return make("tr", {}, header(resultLabel(data, key)), ...cells, test);
    });
    pair.replaceChildren(table(`${one.label} beside ${two.label}`, heads, rows));
  }

  const result = (cell) => (cell.shown ? figures(value(cell)) : withheld(cell.why));

  function difference(gap) {
    if (!gap) return make("td", {});
    return gap.shown ? figures(`${value(gap)}, p ${pText(gap.p)}`) : withheld(gap.why);
  }

  Object.assign(globalThis.lwoFilter, { rankTable, pairTable });
})();
