/* Marks: what a drawing is made of, on the axis of a figure of the page. */
(function () {
  "use strict";
  const { draw } = globalThis.lwoFilter;
  const SHAPES = {
    all: "M5.5 0A5.5 5.5 0 1 1-5.5 0A5.5 5.5 0 1 1 5.5 0z",
    black: "M-5-5H5V5H-5z",
    white: "M0-6.5 6.5 5H-6.5z",
    third: "M0 6.5 6.5-5H-6.5z",
    fourth: "M-3-6H3L6-3V3L3 6H-3L-6 3V-3z",
  };
  const COLOURS = { all: "#46535d", black: "#005ea8", white: "#b5480b", third: "#6d5a00", fourth: "#74418f" };
  const INK = "var(--ink, #18232b)";
  const EDGE = "var(--edge, #71808a)";
  const PAPER = "var(--surface, #fff)";
  const MUTED = "var(--muted, #4f5e69)";

  const colour = (style) => `var(--g-${style}, ${COLOURS[style]})`;

  function marksOn(plot) {
    const [low, high, left, right] = plot.x;
    const across = (thousandths) => left + ((thousandths / 1000 - low) / (high - low)) * (right - left);
    const inside = (thousandths) => Math.min(Math.max(across(thousandths), left), right);
    const moved = (thousandths, y) => `translate(${inside(thousandths).toFixed(2)},${y})`;

    function text(y, words, style, extra) {
      const place = { x: plot.width, y, "text-anchor": "end", "font-size": 14 };
      const look = { class: `value ${style}`, ...place, fill: style ? colour(style) : INK };
      return draw("text", { ...look, ...extra }, words);
    }

    const reason = (y, words) => text(y, words, "", { class: "value reason", fill: MUTED, "font-size": 13 });

    // a value off the axis has no place on it: an arrow at its end says on which side it lies
    function mark(style, at, y, hollow) {
      const [arrow] = beyond(style, at, y);
      if (arrow) return arrow;
      return draw("path", {
        class: `${hollow ? "m-before" : "m"} ${style}`,
        d: SHAPES[style],
        transform: moved(at, y),
        fill: hollow ? PAPER : colour(style),
        stroke: hollow ? colour(style) : PAPER,
        "stroke-width": hollow ? 2.25 : 1.5,
      });
    }

    function line(css, style, [from, to], y, width, extra) {
      const ends = { x1: inside(from).toFixed(2), x2: inside(to).toFixed(2), y1: y, y2: y };
      const look = { stroke: style ? colour(style) : EDGE, "stroke-width": width };
      return draw("line", { class: `${css} ${style}`, ...ends, ...look, ...extra });
    }

    // what leaves the axis ends in an arrow
    function beyond(style, at, y) {
      const past = across(at) > right + 0.5;
      if (!past && across(at) >= left - 0.5) return [];
      const arrow = past ? "M0-5 7 0 0 5z" : "M0-5-7 0 0 5z";
      return [
        draw("path", { class: `beyond ${style}`, d: arrow, fill: colour(style), transform: moved(at, y) }),
      ];
    }

    return { inside, text, reason, mark, line, beyond };
  }

  Object.assign(globalThis.lwoFilter, { SHAPES, INK, MUTED, colour, marksOn });
})();
