/* Subgroup filters: one bar moves the figures, tables and computed sentences around it.
   The same text runs in a page, where it reads a cube of results, and in JupyterLab and Notebook, as an anywidget.
   Drawings are the page's own inline SVG: what a view shows is drawn on the same axis in place of the chapter's
   marks, which come back unchanged. No library, no eval, no markup from data: every label is set as text. */
(function () {
  "use strict";
  const NS = "http://www.w3.org/2000/svg", MINUS = "\u2212", NBSP = "\u00a0";
  const STILL = "grid zero axis domain label".split(" ");
  const SHAPES = { all: "M5.5 0A5.5 5.5 0 1 1-5.5 0A5.5 5.5 0 1 1 5.5 0z", black: "M-5-5H5V5H-5z", white: "M0-6.5 6.5 5H-6.5z",
    third: "M0 6.5 6.5-5H-6.5z", fourth: "M-3-6H3L6-3V3L3 6H-3L-6 3V-3z" };
  const $$ = (selector, el) => Array.from(el.querySelectorAll(selector));
  const make = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes, ...children) => fill(document.createElementNS(NS, tag), attributes, children);
  function fill(el, attributes, children) {
    for (const name in attributes) if (attributes[name] !== null) el.setAttribute(name, attributes[name]);
    el.append(...children);
    return el;
  }

  /* numbers: thousandths as the report writes them, ties to even as Python rounds */
  function number(value, digits) {
    const size = Math.abs(value), step = 1000 / 10 ** digits, tie = size % 125 === 0 && (size / step) % 1 === 0.5;
    const whole = tie ? Math.floor(size / step) + Math.floor(size / step) % 2 : null;
    const text = tie ? (whole / 10 ** digits).toFixed(digits) : (size / 1000).toFixed(digits);
    return (value < 0 && Number(text) !== 0 ? MINUS : "") + text;
  }
  const pText = (p) => p < 1 ? "<" + NBSP + ".001" : p > 999 ? ">" + NBSP + ".999" : "=" + NBSP + (p / 1000).toFixed(3).slice(1);
  const digits = (unit) => unit === "percent" ? 0 : 2;
  const estimate = (cell) => number(cell.estimate, digits(cell.unit)) + (cell.unit === "percent" ? "%" : "");
  const interval = (cell, between) => cell.low === null ? ""
    : number(cell.low, digits(cell.unit)) + between + number(cell.high, digits(cell.unit));
  const value = (cell) => estimate(cell) + (cell.low === null ? "" : " [" + interval(cell, ", ") + "]");
  const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
  const sized = (group) => group.label + (group.n === null ? "" : " (n" + NBSP + "=" + NBSP + count(group.n) + ")");
  const lower = (label) => /^[A-Z][a-z]+( |$)/.test(label) ? label[0].toLowerCase() + label.slice(1) : label;

  /* the cube: states by their codes, results by key */
  function read(cube) {
    const names = cube.dims.map((d) => d.name), states = new Map(), pairs = new Map();
    for (let i = 0; i < cube.cube.n.length; i++) states.set(names.map((n) => cube.cube[n][i]).join(), i);
    cube.pairs.forEach(([a, b], i) => pairs.set(a + "," + b, i));
    const keys = new Map(cube.keys.map((k, i) => [k.key, i])), hidden = new Set(cube.hidden.map((h) => h.join()));
    const beside = new Set(cube.beside), families = new Map();
    const indexed = (series) => ({ series, width: series.keys.length, row: new Map(series.places.map((p, i) => [p, i])),
      column: new Map(series.keys.map((k, i) => [k, i])) });
    const parts = { own: cube.own.map(indexed), rest: cube.rest.map(indexed), gap: cube.gap.map(indexed) };   // by family
    const block = (name, k) => parts[name][cube.keys[k].family];
    const cell = (name, place, key) => {
      const k = keys.get(key);
      if (k === undefined) return null;
      const { series, width, row, column } = block(name, k), told = row.has(place) && column.has(k);
      const at = told ? row.get(place) * width + column.get(k) : -1, get = (what) => told && series[what] ? series[what][at] : null;
      const why = told ? (series.why[at] === null ? "" : cube.reasons[series.why[at]]) : cube.reasons[0];
      return { unit: cube.keys[k].unit, label: cube.keys[k].label, estimate: get("estimate"), low: get("conf_low"), high: get("conf_high"),
        n: get("n_obs"), p: get("p_value"), adjusted: get("p_bh"), why, shown: get("estimate") !== null };
    };
    const gap = (a, b, key) => {
      const flipped = !pairs.has(a + "," + b), at = pairs.get(flipped ? b + "," + a : a + "," + b);
      const found = at === undefined || !keys.has(key) || !block("gap", keys.get(key)).column.has(keys.get(key)) ? null : cell("gap", at, key);
      if (!found || !flipped || !found.shown) return found;
      return Object.assign(found, { estimate: -found.estimate, low: -found.high, high: -found.low });
    };
    const column = (name) => cube.dims.find((d) => d.name === name);
    const clean = (given) => Object.fromEntries(cube.dims.map((d) => [d.name, given[d.name]])
      .filter(([name, level]) => level && column(name).values.includes(level)));
    const label = (chosen) => cube.dims.filter((d) => chosen[d.name]).map((d) => d.labels[d.values.indexOf(chosen[d.name])])
      .join(", ") || cube.words.everyone;
    const reason = (chosen) => {
      const picked = Object.keys(chosen), code = names.map((n) => chosen[n] ? column(n).values.indexOf(chosen[n]) : 0).join();
      if (states.has(code)) return { place: states.get(code), why: "" };
      if (hidden.has(code)) return { place: -1, why: cube.words.hidden };
      const alone = picked.filter((n) => cube.alone[n]);
      if (alone.length > 1 || (alone.length && picked.some((n) => n !== alone[0] && !cube.alone[alone[0]].includes(n))))
        return { place: -1, why: "not combined: " + column(alone[0]).label + " is offered alone or with "
          + cube.alone[alone[0]].map((n) => column(n).label.toLowerCase()).join(" or ") };
      if (picked.length > cube.most) return { place: -1, why: "not combined: at most " + cube.most + " filters at a time" };
      return { place: -1, why: cube.words.few };
    };
    const style = (chosen) => {
      const is = (where) => Object.keys(where).every((n) => chosen[n] && chosen[n].split("+").every((l) => where[n].includes(l)));
      return is(cube.styles.focal) ? "black" : is(cube.styles.reference) ? "white" : Object.keys(chosen).length ? "third" : "all";
    };
    const family = (a, rest, key) => {                    // how many p-values were adjusted together
      const { series, width, row } = block("gap", keys.get(key)), own = cube.keys[keys.get(key)].family;
      const used = (i) => names.map((n) => cube.cube[n][i] ? "1" : "0").join(""), id = used(a) + rest + own;
      if (!families.has(id)) families.set(id, cube.pairs.reduce((total, [one, two], i) => used(one) !== used(a) || (two < 0) !== rest || !row.has(i)
        ? total : total + series.p_value.slice(row.get(i) * width, (row.get(i) + 1) * width).filter((p) => p !== null).length, 0));
      return families.get(id);
    };
    return { cube, keys, cell, gap, column, clean, label, reason, style, family, beside };
  }

  /* a view: the students chosen (a) and those beside them (b) */
  function look(data, value) {
    const chosen = data.clean(value), found = data.reason(chosen), cube = data.cube;
    const group = (label, n, style, cell, why) => ({ label, n, style, cell, why });
    const own = (place) => (key) => data.cell("own", place, key);
    const missing = (why) => (key) => data.keys.has(key) ? { shown: false, why, unit: "", n: null, label: "" } : null;
    const a = found.place >= 0 ? group(data.label(chosen), cube.cube.n[found.place], data.style(chosen), own(found.place), "")
      : group(data.label(chosen), null, data.style(chosen), missing(found.why), found.why);
    let b = null, other = null;
    if (value.vs && value.vs !== "none") {
      const [name, level] = against(data, chosen, value.vs);
      if (name) {
        const picked = Object.assign({}, chosen, { [name]: level });
        other = data.reason(picked);
        const style = data.style(picked) === a.style ? "fourth" : data.style(picked);
        b = other.place >= 0 ? group(data.label(picked), cube.cube.n[other.place], style, own(other.place), "")
          : group(data.label(picked), null, style, missing(other.why), other.why);
      }
    } else if (!value.vs && found.place >= 0 && data.beside.has(found.place)) {
      other = { place: -1 };
      const n = cube.cube.n[data.reason({}).place] - a.n;
      b = group("Everyone else", n, "all", (key) => data.cell("rest", found.place, key), "");
    }
    const gap = (key) => b && found.place >= 0 && (other.place >= 0 || !value.vs) ? data.gap(found.place, other.place, key) : null;
    return { a, b, gap, chosen, alpha: cube.alpha, family: (key) => b && found.place >= 0 ? data.family(found.place, !value.vs, key) : 0 };
  }
  function against(data, chosen, vs) {                    // "white", or "ell.yes" where two columns share a level
    const [name, level] = vs.includes(".") ? vs.split(".") : ["", vs];
    const fits = Object.keys(chosen).filter((n) => (!name || n === name) && data.column(n).values.includes(level));
    return fits.length ? [fits[0], level] : [];
  }

  /* one group's words for a result, and the test of the difference */
  const told = (group, key) => { const c = group.cell(key); return c.shown ? estimate(c) + (c.low === null ? "" : " (" + interval(c, " to ") + ")") : c.why; };
  function difference(view, key) {
    const gap = view.gap(key), both = view.b && view.a.cell(key).shown && view.b.cell(key).shown;
    if (!both || !gap) return "";
    if (!gap.shown) return gap.why;
    const clear = gap.adjusted !== null && gap.adjusted < view.alpha;
    return (clear ? "difference " : "no clear difference: ") + value(gap) + ", p" + NBSP + pText(gap.p) + ", adjusted for " + count(view.family(key)) + " comparisons p"
      + NBSP + pText(gap.adjusted);
  }

  /* figures */
  function figure(svg) {
    const plot = JSON.parse(svg.dataset.plot);
    plot.lines.forEach((line) => { line[2] = line[2].split("|").slice(0, 3).join("|"); });   // series of the chapter's own, such as two subjects, give way to the view's
    const own = $$("[class]", svg).filter((el) => !el.classList.contains("view")
      && el.tagName !== "title" && el.tagName !== "desc" && !STILL.some((name) => el.classList.contains(name)));
    const desc = svg.querySelector("desc"), title = svg.querySelector("title"), was = [title.textContent, desc.textContent];
    let layer = null, stops = [], at = -1;
    const x = (v) => plot.x[2] + (v / 1000 - plot.x[0]) / (plot.x[1] - plot.x[0]) * (plot.x[3] - plot.x[2]);
    const inside = (v) => Math.min(Math.max(x(v), plot.x[2]), plot.x[3]);
    const colour = (style) => "var(--g-" + style + ", " + { all: "#46535d", black: "#005ea8", white: "#b5480b", third: "#6d5a00", fourth: "#74418f" }[style] + ")";
    const narrow = plot.width < 500, single = plot.lines.every((line) => line[1].length === 1);
    const text = (y, words, style, extra) => draw("text", Object.assign({ class: "value " + style, x: plot.width, y, "text-anchor": "end",
      "font-size": 14, fill: style ? colour(style) : "var(--ink, #18232b)" }, extra), words);
    const mark = (style, v, y, hollow) => draw("path", { class: (hollow ? "m-before " : "m ") + style, d: SHAPES[style],
      transform: "translate(" + inside(v).toFixed(2) + "," + y + ")", fill: hollow ? "var(--surface, #fff)" : colour(style),
      stroke: hollow ? colour(style) : "var(--surface, #fff)", "stroke-width": hollow ? 2.25 : 1.5 });
    const line = (css, style, from, to, y, width, more) => draw("line", Object.assign({ class: css + " " + style, x1: inside(from).toFixed(2),
      x2: inside(to).toFixed(2), y1: y, y2: y, stroke: style ? colour(style) : "var(--edge, #71808a)", "stroke-width": width }, more));
    const beyond = (style, v, y) => {                     // an interval that leaves the axis ends in an arrow
      const right = x(v) > plot.x[3] + 0.5, left = x(v) < plot.x[2] - 0.5;
      return right || left ? [draw("path", { class: "beyond " + style, d: right ? "M0-5 7 0 0 5z" : "M0-5-7 0 0 5z", fill: colour(style),
        transform: "translate(" + inside(v).toFixed(2) + "," + y + ")" })] : [];
    };
    function series(group, key, y) {
      const c = group.cell(key), parts = [];
      if (plot.kind === "pair") {
        const after = group.cell(key.replace("|before|", "|direct|"));
        if (!c.shown || !after.shown) return { parts, words: c.shown ? after.why : c.why, shown: false };
        parts.push(line("span", "", c.estimate, after.estimate, y, 2), mark(group.style, c.estimate, y, true), mark(group.style, after.estimate, y));
        return { parts, words: estimate(c) + " to " + estimate(after), short: estimate(c) + " to " + estimate(after), shown: true, x: inside(after.estimate) };
      }
      if (!c.shown) return { parts, words: c.why, shown: false };
      if (plot.kind === "bars") parts.push(line("bar", group.style, 0, c.estimate, y, 12, { "stroke-opacity": 0.3 }));
      if (c.low !== null) parts.push(line("interval", group.style, c.low, c.high, y, 3), ...beyond(group.style, c.low, y), ...beyond(group.style, c.high, y));
      parts.push(mark(group.style, c.estimate, y));
      return { parts, words: value(c), short: estimate(c), shown: true, x: inside(c.estimate) };
    }
    function restore() {
      if (!layer) return;
      layer.remove();
      layer = null; stops = []; at = -1;
      own.forEach((el) => el.removeAttribute("hidden"));
      [title.textContent, desc.textContent] = was;
    }
    function show(view, alt) {
      const next = draw("g", { class: "view" }), groups = view.b ? [view.a, view.b] : [view.a];
      stops = [];
      plot.lines.forEach(([label, heights, key]) => {
        const known = view.a.cell(key);
        const said = groups.map((group, i) => {
          const y = heights.length > 1 ? heights[i] : heights[0] + (view.b ? 14 * i - 7 : 0);
          if (!known) return null;
          const made = series(group, key, y);
          next.append(...made.parts);
          stops.push({ x: made.x === undefined ? plot.x[2] : made.x, y, words: label + ", " + group.label + ": " + (made.shown ? made.words : made.words) });
          return Object.assign(made, { y, group });
        });
        if (!known) { next.append(text(heights[0] + 5, "the same for every view", "", { class: "value reason", fill: "var(--muted, #4f5e69)", "font-size": 13 })); return; }
        if (narrow && single) {
          const words = text(heights[0] - 22, "", "");
          said.forEach((one, i) => words.append(...(i ? [" / "] : []), draw("tspan", { fill: one.shown ? colour(one.group.style) : "var(--muted, #4f5e69)" },
            one.shown ? one.short : said.length > 1 ? "\u2013" : one.words)));
          next.append(words);
        } else said.forEach((one, i) => next.append(text(heights.length > 1 || !view.b ? one.y + 5 : heights[0] - 3 + 16 * i,
          narrow && one.shown ? one.short : one.words, one.shown ? one.group.style : "",
          one.shown ? {} : { class: "value reason", fill: "var(--muted, #4f5e69)", "font-size": 13 })));
      });
      if (layer) layer.replaceWith(next); else { own.forEach((el) => el.setAttribute("hidden", "")); svg.append(next); }
      layer = next; at = -1;
      title.textContent = alt.title; desc.textContent = alt.text;
    }
    function walk(event, say) {                           // arrow keys go from mark to mark and say it
      const from = stops.length ? stops : still();
      const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: from.length - 1 }[event.key];
      if (to === undefined || !from.length) return;
      event.preventDefault();
      at = Math.min(Math.max(to, 0), from.length - 1);
      const ring = svg.querySelector(".ring") || svg.appendChild(draw("circle", { class: "ring view", r: 11, fill: "none", stroke: "var(--ink, #18232b)", "stroke-width": 2 }));
      ring.setAttribute("cx", from[at].x); ring.setAttribute("cy", from[at].y);
      svg.append(ring);
      say(from[at].words);
    }
    function still() {                                    // the chapter's own marks, from the figure's table
      const rows = $$("tbody tr:not(.group)", (svg.closest("figure") || svg.closest(".plate")));
      const words = rows.map((row) => Array.from(row.cells).map((c) => c.textContent.trim()).filter(Boolean).join(", "));
      const flat = plot.lines.flatMap(([, heights]) => heights);
      return words.map((w, i) => ({ x: plot.x[2], y: flat[Math.min(i, flat.length - 1)], words: w }));
    }
    const keys = plot.lines.flatMap((l) => plot.kind === "pair" ? [l[2], l[2].replace("|before|", "|direct|")] : [l[2]]);
    return { svg, plot, keys, lines: plot.lines, show, restore, walk, leave: () => { at = -1; $$(".ring", svg).forEach((r) => r.remove()); } };
  }

  globalThis.lwoFilter = { read, look, figure, number, told, difference, sized, count, value, estimate, interval, pText, lower, make, draw, $$, NBSP, SHAPES };
})();
