/* Small panels: one result over the subgroups of a set of columns, on one axis. */
(function () {
  "use strict";
  const { draw, make, SHAPES, value } = globalThis.lwoFilter;
  const WIDTH = 340;
  const STEP = 40;

  // two columns make a panel for each level of the first
  function panels({ data }, set, title, groups) {
    const ends = groups.flatMap(({ cell }) => [cell.low, cell.high]).concat(0);
    const axis = axisOver(Math.min(...ends), Math.max(...ends));
    if (!set.includes("+")) return groups.length ? [panel(data, title, groups, axis, "")] : [];
    const [facet] = set.split("+");
    const { labels, values } = data.column(facet);
    return values.slice(1).flatMap((level, i) => {
      const own = groups.filter((group) => group.chosen[facet] === level);
      return own.length ? [panel(data, labels[i + 1], own, axis, facet)] : [];
    });
  }

  const axisOver = (low, high) => (at) => 8 + ((at - low) / (high - low || 1)) * (WIDTH - 16);

  function panel(data, name, groups, x, facet) {
    const height = 26 + STEP * groups.length;
    const values = groups.map((group) => `${group.label} ${value(group.cell)}`).join("; ");
    const words = { role: "img", "aria-label": `${name}. ${values}` };
    const box = { class: "chart dots", viewBox: `0 0 ${WIDTH} ${height}`, ...words };
    const zero = { class: "zero", x1: x(0), x2: x(0), y1: 4, y2: height - 8, stroke: "var(--edge, #71808a)" };
    const svg = draw("svg", box, draw("line", zero));
    groups.forEach((group, i) => svg.append(...line(data, group, x, 34 + STEP * i, facet)));
    return make("figure", { class: "panel" }, make("figcaption", {}, make("strong", {}, name)), svg);
  }

  function line(data, { cell, chosen }, x, y, facet) {
    const style = data.style(chosen);
    const colour = `var(--g-${style})`;
    const above = y - 12;
    const atEnd = { class: "value", x: WIDTH, y: above, "text-anchor": "end", "font-size": 13 };
    const ends = { x1: x(cell.low), x2: x(cell.high), y1: y, y2: y };
    const place = `translate(${x(cell.estimate).toFixed(1)},${y})`;
    return [
      draw("text", { class: "label", x: 0, y: above, "font-size": 13 }, labelWithin(data, chosen, facet)),
      draw("text", atEnd, value(cell)),
      draw("line", { class: "interval", ...ends, stroke: colour, "stroke-width": 3 }),
      draw("path", { class: `m ${style}`, d: SHAPES[style], transform: place, fill: colour }),
    ];
  }

  // a subgroup's label without what the panel's title says
  function labelWithin({ cube }, chosen, facet) {
    const dims = cube.dims.filter(({ name }) => chosen[name] && name !== facet);
    return dims.map((dim) => dim.labels[dim.values.indexOf(chosen[dim.name])]).join(", ");
  }

  Object.assign(globalThis.lwoFilter, { panels });
})();
