/* Figures: a view is drawn in place of the chapter's marks, on the axis that the chapter's figure has. */
(function () {
  "use strict";
  const { $$, colour, diagram, draw, estimate, marksOn, MUTED, sides, value, walker } = globalThis.lwoFilter;
  const STILL = ["grid", "zero", "axis", "domain", "label"];
  const SAME = "the same for every view";

  const afterOf = (key) => key.replace("|before|", "|direct|");

  function figure(svg) {
    const plot = plotOf(svg);
    if (plot.kind === "paths") return diagram(svg, plot);
    const own = ownMarks(svg);
    const words = [svg.querySelector("title"), svg.querySelector("desc")];
    const before = words.map((el) => el.textContent);
    const marks = marksOn(plot);
    const steps = walker(svg, plot);
    let layer = null;

    const say = (texts) => words.forEach((el, i) => (el.textContent = texts[i]));

    function restore() {
      if (!layer) return;
      layer.remove();
      layer = null;
      steps.start([]);
      own.forEach((el) => el.removeAttribute("hidden"));
      say(before);
    }

    function show(view, alternative) {
      const next = draw("g", { class: "view" });
      const stops = [];
      plot.lines.forEach((line) => drawLine(plot, marks, view, line, next, stops));
      if (layer) layer.replaceWith(next);
      else {
        own.forEach((el) => el.setAttribute("hidden", ""));
        svg.append(next);
      }
      layer = next;
      steps.start(stops);
      say([alternative.title, alternative.text]);
    }

    const keys = plot.lines.flatMap(([, , key]) => (plot.kind === "pair" ? [key, afterOf(key)] : [key]));
    return {
      svg,
      kind: plot.kind,
      keys,
      lines: plot.lines,
      show,
      restore,
      walk: steps.walk,
      leave: steps.leave,
    };
  }

  // series of the chapter's own, such as two subjects, give way to the view's
  function plotOf(svg) {
    const plot = JSON.parse(svg.dataset.plot);
    plot.lines.forEach((line) => (line[2] = line[2].split("|").slice(0, 3).join("|")));
    return plot;
  }

  const ownMarks = (svg) =>
    $$("[class]:not(title, desc, .view)", svg).filter(
      (el) => !STILL.some((name) => el.classList.contains(name)),
    );

  function drawLine(plot, marks, view, line, layer, stops) {
    const [label, heights, key] = line;
    if (!view.a.cell(key)) {
      layer.append(marks.reason(heights[0] + 5, SAME));
      return;
    }
    const shown = sides(view).map((group, i) => {
      const y = heights.length > 1 ? heights[i] : heights[0] + (view.b ? 14 * i - 7 : 0);
      const made = series(plot, marks, group, key, y);
      layer.append(...made.parts);
      const x = made.x === undefined ? plot.x[2] : made.x;
      stops.push({ x, y, words: `${label}, ${group.label}: ${made.words}` });
      return { ...made, y, group };
    });
    layer.append(...lineTexts(plot, marks, heights, shown));
  }

  // one group's marks of one result, and their words
  function series(plot, marks, group, key, y) {
    const cell = group.cell(key);
    if (plot.kind === "pair") return change(marks, group, cell, group.cell(afterOf(key)), y);
    if (!cell.shown) return { parts: [], words: cell.why, shown: false };
    const { style } = group;
    const parts = [];
    if (plot.kind === "bars")
      parts.push(marks.line("bar", style, [0, cell.estimate], y, 12, { "stroke-opacity": 0.3 }));
    if (cell.low !== null) {
      const ends = [cell.low, cell.high];
      parts.push(marks.line("interval", style, ends, y, 3));
      parts.push(...ends.flatMap((end) => marks.beyond(style, end, y)));
    }
    parts.push(marks.mark(style, cell.estimate, y));
    return { parts, words: value(cell), short: estimate(cell), shown: true, x: marks.inside(cell.estimate) };
  }

  function change(marks, { style }, before, after, y) {
    if (!before.shown || !after.shown)
      return { parts: [], words: before.shown ? after.why : before.why, shown: false };
    const parts = [
      marks.line("span", "", [before.estimate, after.estimate], y, 2),
      marks.mark(style, before.estimate, y, true),
      marks.mark(style, after.estimate, y),
    ];
    const words = `${estimate(before)} to ${estimate(after)}`;
    return { parts, words, short: words, shown: true, x: marks.inside(after.estimate) };
  }

  // the numbers at the right of a line; a narrow drawing has room for the estimates alone
  function lineTexts(plot, marks, heights, shown) {
    const narrow = plot.width < 500;
    if (narrow && plot.lines.every((line) => line[1].length === 1))
      return [inOne(marks, heights[0] - 22, shown)];
    const spread = heights.length > 1 || shown.length === 1;
    return shown.map((one, i) => {
      const y = spread ? one.y + 5 : heights[0] - 3 + 16 * i;
      if (!one.shown) return marks.reason(y, one.words);
      return marks.text(y, narrow ? one.short : one.words, one.group.style);
    });
  }

  function inOne(marks, y, shown) {
    const text = marks.text(y, "", "");
    shown.forEach((one, i) => {
      const missing = shown.length > 1 ? "\u2013" : one.words;
      const fill = one.shown ? colour(one.group.style) : MUTED;
      text.append(...(i ? [" / "] : []), draw("tspan", { fill }, one.shown ? one.short : missing));
    });
    return text;
  }

  Object.assign(globalThis.lwoFilter, { figure });
})();
