/* Redrawing: what a reader sees at once, the rest when there is time. */
(function () {
  "use strict";
  const { $$, alternative, computedSentences, computedTables, figure, frameOf } = globalThis.lwoFilter;
  const { markOptions, showCaption, showCells, showSame, showSentence, showTable } = globalThis.lwoFilter;
  const { showTableCaption } = globalThis.lwoFilter;

  // what of the page a view moves; looked for once, when the results are there
  function prepare(bar) {
    if (bar.plots) return;
    const { figures } = bar.give;
    const wanted = (svg) => !figures || figures.includes((svg.closest("figure") || {}).id);
    bar.plots = $$("svg[data-plot]", bar.scope)
      .filter(wanted)
      .map(figure)
      .filter((plot) => plot.keys.some((key) => bar.data.keys.has(key)));
    bar.plots.forEach((plot) => (plot.frame = frameOf(plot.svg)));
    bar.frames = [...new Set(bar.plots.map((plot) => plot.frame))];
    bar.sentences = computedSentences(bar);
    const tables = bar.give.places ? computedTables(bar) : [];
    bar.tables = tables.filter(({ cells }) => cells.length);
    const still = tables.filter(({ cells }) => !cells.length).map(({ frame }) => frame);
    const drawn = $$("svg[data-plot]", bar.scope).filter(wanted).map(frameOf);
    bar.still = [...new Set([...still, ...drawn.filter((frame) => !bar.frames.includes(frame))])];
  }

  // which drawings are in view is watched: to measure it would lay the page out once more for each change
  function watcher(inView) {
    const note = ({ isIntersecting, target }) =>
      isIntersecting ? inView.add(target) : inView.delete(target);
    return new IntersectionObserver((entries) => entries.forEach(note), { rootMargin: "100px" });
  }

  function redraw(bar) {
    clearTimeout(bar.timer);
    bar.plots.forEach((plot) => (plot.seen = bar.inView.has(plot.svg)));
    const seen = (frame) => bar.plots.some((plot) => plot.frame === frame && plot.seen);
    const first = bar.frames.filter(seen);
    const rest = bar.frames.filter((frame) => !first.includes(frame));
    first.forEach((frame) => showPicture(bar, frame, true));
    bar.late = [
      ...first.map((frame) => () => showWords(bar, frame)),
      ...bar.sentences.map((one) => () => showSentence(bar, one)),
      ...first.map((frame) => () => showPicture(bar, frame, false)),
      () => markOptions(bar),
      ...rest.map((frame) => () => {
        showPicture(bar, frame, false);
        showWords(bar, frame);
      }),
      ...bar.tables.map((one) => () => {
        showTableCaption(bar, one.frame);
        showCells(bar, one);
      }),
      ...bar.still.map((frame) => () => showSame(bar, frame)),
    ];
    bar.timer = setTimeout(() => next(bar));
  }

  function next(bar) {
    const job = bar.late.shift();
    if (!job) {
      settle(bar);
      return;
    }
    job();
    bar.timer = setTimeout(() => next(bar));
  }

  // all that waits, at once
  function settle(bar) {
    clearTimeout(bar.timer);
    for (let job = bar.late.shift(); job; job = bar.late.shift()) job();
    bar.form.dataset.drawn = JSON.stringify(bar.value);
  }

  // the drawing that fits the column first, the other later
  function showPicture(bar, frame, seen) {
    const plots = bar.plots.filter((plot) => plot.frame === frame && plot.seen === seen);
    if (bar.showsOwn()) plots.forEach((plot) => plot.restore());
    else plots.forEach((plot) => plot.show(bar.view, alternative(bar.view, plots[0])));
  }

  function showWords(bar, frame) {
    const plot = bar.showsOwn() ? null : bar.plots.find((one) => one.frame === frame);
    showCaption(bar, frame, plot);
    showTable(bar, frame, plot);
  }

  Object.assign(globalThis.lwoFilter, { prepare, watcher, redraw, settle });
})();
