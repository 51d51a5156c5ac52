/* A view: the students chosen (a), those beside them (b), what is said of each and of their difference. */
(function () {
  "use strict";
  const { NBSP, count, estimate, interval, pText, value } = globalThis.lwoFilter;

  function look(data, given) {
    const chosen = data.clean(given);
    const found = data.reason(chosen);
    const placed = found.place >= 0;
    const a = group(data, chosen, found, data.style(chosen));
    const { b, place } = beside(data, given, a, chosen, found);
    const paired = b !== null && placed;
    const tested = paired && (place >= 0 || !given.vs);
    return {
      a,
      b,
      chosen,
      alpha: data.cube.alpha,
      gap: (key) => (tested ? data.gap(found.place, place, key) : null),
      family: (key) => (paired ? data.family(found.place, !given.vs, key) : 0),
    };
  }

  // students who are not shown have a reason in place of each result
  function group(data, chosen, { place, why }, style) {
    const label = data.label(chosen);
    if (place >= 0) {
      const cell = (key) => data.cell("own", place, key);
      return { label, n: data.cube.cube.n[place], style, cell, why: "" };
    }
    const cell = (key) => (data.keys.has(key) ? { shown: false, why, unit: "", n: null, label: "" } : null);
    return { label, n: null, style, cell, why };
  }

  function beside(data, given, a, chosen, found) {
    if (given.vs && given.vs !== "none") {
      const [name, level] = against(data, chosen, given.vs);
      if (!name) return { b: null };
      const picked = { ...chosen, [name]: level };
      const other = data.reason(picked);
      const style = data.style(picked) === a.style ? "fourth" : data.style(picked);
      return { b: group(data, picked, other, style), place: other.place };
    }
    if (given.vs || found.place < 0 || !data.beside.has(found.place)) return { b: null };
    const n = data.cube.cube.n[data.reason({}).place] - a.n;
    const cell = (key) => data.cell("rest", found.place, key);
    return { b: { label: "Everyone else", n, style: "all", cell, why: "" }, place: -1 };
  }

  // "white", or "ell.yes" where two columns share a level
  function against(data, chosen, versus) {
    const [column, level] = versus.includes(".") ? versus.split(".") : ["", versus];
    const fits = Object.keys(chosen).filter(
      (name) => (!column || name === column) && data.column(name).values.includes(level),
    );
    return fits.length ? [fits[0], level] : [];
  }

  const sides = (view) => (view.b ? [view.a, view.b] : [view.a]);

  function told(group, key) {
    const cell = group.cell(key);
    if (!cell.shown) return cell.why;
    return estimate(cell) + (cell.low === null ? "" : ` (${interval(cell, " to ")})`);
  }

  function difference(view, key) {
    const gap = view.gap(key);
    const both = view.b && view.a.cell(key).shown && view.b.cell(key).shown;
    if (!both || !gap) return "";
    if (!gap.shown) return gap.why;
    const clear = gap.adjusted !== null && gap.adjusted < view.alpha;
    const test = `${clear ? "difference" : "no clear difference:"} ${value(gap)}, p${NBSP}${pText(gap.p)}`;
    const others = `${count(view.family(key))} comparisons`;
    return `${test}, adjusted for ${others} p${NBSP}${pText(gap.adjusted)}`;
  }

  const resultLabel = (data, key) => data.cube.keys[data.keys.get(key)].label;

  // of a chapter's many results those that sum it up: without a contrast, or indirect
  const mainKeys = (cube) =>
    cube.keys.map((entry) => entry.key).filter((key) => /^[^|]*\|(indirect)?\|/.test(key));

  Object.assign(globalThis.lwoFilter, { look, sides, told, difference, resultLabel, mainKeys });
})();
