/* The data table of a view, in place of the chapter's, and the downloads below it. */
(function () {
  "use strict";
  const { $$, count, difference, estimate, files, interval, make, people, resultLabel, sides } =
    globalThis.lwoFilter;
  const HEAD = ["Measure", "Students", "Estimate", "Interval", "n", "Difference and test"];

  // without a plot the chapter's own table comes back
  function showTable(bar, frame, plot) {
    const own = frame.querySelector("details.data .scroll:not(.view)");
    $$(".scroll.view, p.view-files", frame).forEach((el) => el.remove());
    if (own) own.toggleAttribute("hidden", Boolean(plot));
    if (!plot || !own) return;
    const label = `Data: ${people(bar.view)}`;
    const region = { class: "scroll view", role: "region", tabindex: "0", "aria-label": label };
    own.after(make("div", region, resultTable(bar, plot.keys)));
    frame.querySelector("details.data").append(downloads(bar, frame, plot));
  }

  function resultTable({ data, view }, keys) {
    const head = make("tr", {}, ...HEAD.map((text) => make("th", { scope: "col" }, text)));
    const rows = keys.flatMap((key) => {
      const groups = sides(view).filter((group) => group.cell(key));
      return groups.map((group) => {
        const test = group === view.a ? difference(view, key) : "";
        return resultRow(resultLabel(data, key), group, group.cell(key), test);
      });
    });
    const caption = make("caption", { class: "sr" }, people(view));
    return make("table", {}, caption, make("thead", {}, head), make("tbody", {}, ...rows));
  }

  function resultRow(label, group, cell, test) {
    const number = (text) => make("td", { class: "n" }, text);
    const numbers = () => [estimate(cell), interval(cell, " to "), cell.n === null ? "" : count(cell.n)];
    const withheld = () => make("td", { class: "withheld", colspan: 3 }, make("span", {}, cell.why));
    const result = cell.shown ? numbers().map(number) : [withheld()];
    const measure = make("th", { scope: "row" }, label);
    return make("tr", {}, measure, make("td", {}, group.label), ...result, make("td", {}, test));
  }

  function downloads(bar, frame, plot) {
    const button = (text, save) => {
      const el = make("button", { type: "button" }, text);
      el.addEventListener("click", () => save(viewContent(bar, plot.keys, frame)));
      return el;
    };
    const buttons = [
      button("CSV", (content) => files.csv(content)),
      button("SVG", (content) => files.svg(visibleDrawing(bar, frame), content)),
      button("PNG", (content) => files.png(visibleDrawing(bar, frame), content)),
    ];
    const spaced = buttons.flatMap((el, i) => (i ? [" ", el] : [el]));
    return make("p", { class: "download view-files" }, "This view: ", ...spaced);
  }

  // of the drawings for wide and narrow columns, the one that a reader sees
  function visibleDrawing(bar, frame) {
    const drawings = bar.plots.filter((plot) => plot.frame === frame).map((plot) => plot.svg);
    return drawings.find((svg) => svg.getBoundingClientRect().height > 0) || drawings[0];
  }

  // a result that is only told as a difference has no numbers of its own
  function ofDifference(view, group, key) {
    const gap = group === view.a ? view.gap(key) : null;
    return gap && { ...gap, shown: false, why: "" };
  }

  // what a file of a view holds
  function viewContent({ data, value, view }, keys, frame) {
    const names = [frame && frame.id, ...Object.values(view.chosen), value.vs].filter(Boolean);
    const slug = names.join("-").replace(/[^\w.-]+/g, "-") || "all";
    const cell = (group, key) => group.cell(key) || ofDifference(view, group, key);
    const rows = sides(view).flatMap((group) => keys.map((key) => ({ group, key, cell: cell(group, key) })));
    return { slug, view, data, title: people(view), rows: rows.filter((row) => row.cell) };
  }

  Object.assign(globalThis.lwoFilter, { showTable, resultTable, viewContent });
})();
