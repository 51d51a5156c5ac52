/* Path diagrams: the coefficients of a view stand on the chapter's arrows. */
(function () {
  "use strict";
  const { $$, colour, draw, estimate, interval, MUTED, sides, told, walker } = globalThis.lwoFilter;
  const WIDEST = 8; // of an arrow with a coefficient of one, and
  const THINNEST = 1.25; // of one with next to none, as lib/show/diagrams.py draws them

  function diagram(svg, plot) {
    const arrows = plot.lines.map(([symbol, , key]) => arrowOf(svg, symbol, key));
    const words = [svg.querySelector("title"), svg.querySelector("desc")];
    const before = words.map((el) => el.textContent);
    const steps = walker(svg, plot);
    const say = (texts) => words.forEach((el, i) => (el.textContent = texts[i]));
    const start = (wordsOf) => steps.start(arrows.map((arrow) => stopAt(svg, arrow, wordsOf(arrow))));
    start(ownWords);

    function restore() {
      arrows.forEach((arrow) => arrow.texts.forEach((el, i) => el.replaceChildren(...arrow.own[i])));
      arrows.forEach(({ line, width }) => line.setAttribute("stroke-width", width));
      say(before);
      start(ownWords);
    }

    function show(view, alternative) {
      arrows.filter(({ key }) => view.a.cell(key)).forEach((arrow) => tell(arrow, view));
      say([alternative.title, alternative.text]);
      start((arrow) => (view.a.cell(arrow.key) ? viewWords(arrow, view) : ownWords(arrow)));
    }

    const keys = plot.lines.map(([, , key]) => key);
    const { walk, leave } = steps;
    return { svg, kind: plot.kind, keys, lines: plot.lines, show, restore, walk, leave };
  }

  // an arrow, the coefficient above it, and what stands below: its interval, or why it is not shown
  function arrowOf(svg, symbol, key) {
    const [line, ...texts] = $$("[data-key]", svg).filter((el) => el.dataset.key === key);
    const own = texts.map((el) => Array.from(el.childNodes));
    return { symbol, key, line, texts, own, width: line.getAttribute("stroke-width") };
  }

  function tell({ symbol, key, line, texts }, view) {
    const [above, below, ...further] = texts;
    const groups = sides(view);
    const cells = groups.map((group) => group.cell(key));
    const [cell] = cells;
    above.replaceChildren(...groups.flatMap((group, i) => [...(i ? [" / "] : []), number(group, cells[i])]));
    const ends = groups.length === 1 && cell.shown && cell.low !== null;
    below.textContent = ends ? `${symbol} [${interval(cell, ", ")}]` : symbol;
    further.forEach((el) => el.replaceChildren());
    const size = cell.shown ? Math.min(1, Math.abs(cell.estimate) / 1000) * WIDEST : 0;
    line.setAttribute("stroke-width", Math.max(THINNEST, size).toFixed(1));
  }

  function number(group, cell) {
    const fill = cell.shown ? colour(group.style) : MUTED;
    return draw("tspan", { fill }, cell.shown ? estimate(cell) : "\u2013");
  }

  const ownWords = ({ symbol, texts: [above, below] }) =>
    `${symbol}: ${above.textContent}${below.textContent.replace(symbol, "")}`;

  const viewWords = ({ symbol, key }, view) =>
    `${symbol}, ${sides(view)
      .map((group) => `${group.label}: ${told(group, key)}`)
      .join("; ")}`;

  // where a coefficient stands is asked when its arrow is reached: a drawing that is not laid out has no place
  function stopAt(svg, { texts: [above] }, words) {
    const at = (side, size) => {
      const box = above.getBoundingClientRect();
      const frame = svg.getBoundingClientRect();
      return ((box[side] + box[size] / 2 - frame[side]) / frame[size]) * svg.viewBox.baseVal[size];
    };
    return {
      get x() {
        return at("x", "width");
      },
      get y() {
        return at("y", "height");
      },
      words,
    };
  }

  Object.assign(globalThis.lwoFilter, { diagram });
})();
