/* Arrow keys: they go from mark to mark of a figure and say each. */
(function () {
  "use strict";
  const { $$, draw, INK } = globalThis.lwoFilter;

  const frameOf = (svg) => svg.closest("figure") || svg.closest(".plate");

  function walker(svg, plot) {
    let stops = [];
    let at = -1;

    // the stops of a view, or none for the chapter's own marks
    function start(given) {
      stops = given;
      at = -1;
    }

    function walk(event, say) {
      const from = stops.length ? stops : ownStops(svg, plot);
      const last = from.length - 1;
      const steps = {
        ArrowDown: at + 1,
        ArrowRight: at + 1,
        ArrowUp: at - 1,
        ArrowLeft: at - 1,
        Home: 0,
        End: last,
      };
      const to = steps[event.key];
      if (to === undefined || !from.length) return;
      event.preventDefault();
      at = Math.min(Math.max(to, 0), last);
      ring(svg, from[at]);
      say(from[at].words);
    }

    function leave() {
      at = -1;
      $$(".ring", svg).forEach((el) => el.remove());
    }

    return { start, walk, leave };
  }

  function ring(svg, stop) {
    const look = { class: "ring view", r: 11, fill: "none", stroke: INK, "stroke-width": 2 };
    const el = svg.querySelector(".ring") || draw("circle", look);
    el.setAttribute("cx", stop.x);
    el.setAttribute("cy", stop.y);
    svg.append(el);
  }

  // the chapter's own marks are said as its data table says them
  function ownStops(svg, plot) {
    const heights = plot.lines.flatMap((line) => line[1]);
    return $$("tbody tr:not(.group)", frameOf(svg)).map((row, i) => {
      const cells = Array.from(row.cells).map((cell) => cell.textContent.trim());
      const y = heights[Math.min(i, heights.length - 1)];
      return { x: plot.x[2], y, words: cells.filter(Boolean).join(", ") };
    });
  }

  Object.assign(globalThis.lwoFilter, { frameOf, walker });
})();
