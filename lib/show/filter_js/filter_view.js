/* A view: the students chosen (a), those beside them (b), what is said of each and of their difference. */
(function () {
  "use strict";
  const { COUNTED, NBSP, count, estimate, interval, pText, value } = globalThis.lwoFilter;
  const OF_INTEREST = "smaller than the smallest difference of interest";
  const NONE = "none of the students chosen";
  const ALIKE = "the students chosen are of one group";
  const DIFFERENT = ["difference", "no clear difference:"];
  const SMALL = [OF_INTEREST, `not shown to be ${OF_INTEREST}`].map((words) => `${words}:`);
  const FEW = "not compared: too few students";

  function look(data, given) {
    const chosen = data.clean(given);
    const found = data.reason(chosen);
    const placed = found.place >= 0;
    const a = group(data, chosen, found, data.style(chosen));
    const { b, place } = beside(data, given, a, chosen, found);
    const paired = b !== null && placed;
    const comparable = paired && (place >= 0 || !given.vs);
    const part = (place) => parts(data, [chosen, ...besideChosen(data, given, chosen)], place);
    return {
      a,
      b,
      chosen,
      part,
      alpha: data.cube.alpha,
      gap: (key) => (comparable ? data.gap(found.place, place, key) : null),
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
      const [picked] = besideChosen(data, given, chosen);
      if (!picked) return { b: null };
      const other = data.reason(picked);
      const style = data.style(picked) === a.style ? "fourth" : data.style(picked);
      return { b: group(data, picked, other, style), place: other.place };
    }
    if (given.vs || found.place < 0 || !data.beside.has(found.place)) return { b: null };
    const n = data.cube.cube.n[data.reason({}).place] - a.n;
    const cell = (key) => data.cell("rest", found.place, key);
    return { b: { label: "Everyone else", n, style: "all", cell, why: "" }, place: -1 };
  }

  // the levels of those beside the students chosen, where they are of another level of one column
  function besideChosen(data, given, chosen) {
    if (!given.vs || given.vs === "none") return [];
    const [name, level] = against(data, chosen, given.vs);
    return name ? [{ ...chosen, [name]: level }] : [];
  }

  // "white", or "ell.yes" where two columns share a level
  function against(data, chosen, versus) {
    const [column, level] = versus.includes(".") ? versus.split(".") : ["", versus];
    const fits = Object.keys(chosen).filter(
      (name) => (!column || name === column) && data.column(name).values.includes(level),
    );
    return fits.length ? [fits[0], level] : [];
  }

  // of each group, what is said of those at a level of a further column, or of the difference of two levels
  const parts = (data, groups, place) =>
    groups.map((chosen) => (place.less ? partGap(data, chosen, place) : partOf(data, chosen, place)));

  function partOf(data, chosen, { key, of }) {
    const [name] = Object.keys(of);
    const label = data.label({ ...chosen, ...of });
    const withheld = (why) => ({ label, cell: { shown: false, why } });
    if (chosen[name] && chosen[name] !== of[name]) return withheld(NONE);
    const { place, why } = data.reason({ ...chosen, ...of });
    return place < 0 ? withheld(why) : { label, cell: data.cell("own", place, key) };
  }

  function partGap(data, chosen, { key, of, less }) {
    const [name] = Object.keys(of);
    const levels = [of, less].map((level) => ({ ...chosen, ...level }));
    const label = `${data.label(levels[0])} minus ${data.label(less)}`;
    const [one, two] = levels.map((level) => data.reason(level));
    const why = chosen[name] ? ALIKE : one.why || two.why;
    if (why) return { label, cell: { shown: false, why } };
    const gap = data.gap(one.place, two.place, key) || { shown: false, why: FEW };
    return { label, cell: gap, tests: data.family(one.place, false, key) };
  }

  const sides = (view) => (view.b ? [view.a, view.b] : [view.a]);

  function told(group, key) {
    return toldCell(group.cell(key));
  }

  function toldCell(cell) {
    if (!cell.shown) return cell.why;
    return estimate(cell) + (cell.low === null ? "" : ` (${interval(cell, " to ")})`);
  }

  function difference(view, key) {
    const gap = view.gap(key);
    const compared = (group) => (group.cell(key) || { shown: true }).shown;
    const both = view.b && compared(view.a) && compared(view.b);
    return both && gap ? tested(gap, view.family(key), view.alpha) : "";
  }

  // a difference in another unit has the test of the first
  function tested(gap, tests, alpha) {
    if (!gap.shown) return gap.why;
    if (gap.p === null) return `difference ${value(gap)}`;
    const found = (gap.ofSmallness ? SMALL : DIFFERENT)[isClear(gap, alpha) ? 0 : 1];
    const test = `${found} ${value(gap)}`;
    const others = `${count(tests)} comparisons`;
    return `${test}, p${NBSP}${pText(gap.p)}, adjusted for ${others} p${NBSP}${pText(gap.adjusted)}`;
  }

  const isClear = (gap, alpha) => gap.shown && gap.adjusted !== null && gap.adjusted < alpha;

  const resultLabel = (data, key) => data.cube.keys[data.keys.get(key)].label;

  // of a chapter's many results those that sum it up: without a contrast, or indirect
  const mainKeys = (cube) =>
    cube.keys
      .filter(({ key, unit }) => unit !== COUNTED && /^[^|]*\|(indirect)?\|[^|]*$/.test(key))
      .map(({ key }) => key);

  const view = {
    look,
    sides,
    told,
    toldCell,
    difference,
    tested,
    isClear,
    OF_INTEREST,
    resultLabel,
    mainKeys,
  };
  Object.assign(globalThis.lwoFilter, view);
})();
