/* Explore: any two subgroups side by side, one result over many subgroups, and a ranking that says how sure it is.
   Reads the cube of a chapter; estimates are pulled toward their mean as far as chance alone would spread them
   (empirical Bayes, DerSimonian & Laird, 1986), ranks have joint intervals (Klein, Wright & Wieczorek, 2020). */
(function () {
  "use strict";
  const F = globalThis.lwoFilter, { make, draw, $$ } = F;

  /* subgroups of one set of columns, with what chance and differences do to them */
  function ranked(groups, level) {
    const k = groups.length, weight = groups.map((g) => 1 / g.error ** 2), total = weight.reduce((a, b) => a + b, 0);
    const centre = groups.reduce((sum, g, i) => sum + weight[i] * g.estimate, 0) / total;
    const q = groups.reduce((sum, g, i) => sum + weight[i] * (g.estimate - centre) ** 2, 0);
    const scale = total - weight.reduce((sum, w) => sum + w * w, 0) / total;
    const between = k > 1 ? Math.max(0, (q - (k - 1)) / scale) : 0;
    const inner = groups.map((g) => 1 / (g.error ** 2 + between)), sum = inner.reduce((a, b) => a + b, 0);
    const mean = groups.reduce((all, g, i) => all + inner[i] * g.estimate, 0) / sum;
    const z = quantile(1 - (1 - level ** (1 / Math.max(k, 1))) / 2);
    const ends = groups.map((g) => [g.estimate - z * g.error, g.estimate + z * g.error]);
    return groups.map((g, i) => Object.assign({}, g, {
      shrunken: mean + (g.estimate - mean) * between / (between + g.error ** 2),
      best: 1 + ends.filter((e) => e[0] > ends[i][1]).length, worst: k - ends.filter((e) => e[1] < ends[i][0]).length,
    })).sort((a, b) => b.shrunken - a.shrunken || b.estimate - a.estimate)
      .map((g, i, all) => Object.assign(g, { rank: 1 + all.findIndex((other) => other.shrunken - g.shrunken < 1e-9) }));   // equals share a rank
  }
  function quantile(p) {                                  // of the normal distribution, by Newton from Hastings' start
    const t = Math.sqrt(-2 * Math.log(1 - p));
    let x = t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t ** 3);
    for (let i = 0; i < 4; i++) x -= (below(x) - p) / (Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI));
    return x;
  }
  function below(x) {                                     // Marsaglia (2004)
    let sum = x, term = x;
    for (let i = 3; Math.abs(term) > 1e-16; i += 2) sum += term *= x * x / i;
    return 0.5 + sum * Math.exp(-x * x / 2 - 0.91893853320467274178);
  }

  function start(root) {
    const give = JSON.parse(root.querySelector("script[type='application/json']").textContent), form = root.querySelector("form");
    const output = form.querySelector("output"), charts = root.querySelector(".charts"), board = root.querySelector(".board"), pair = root.querySelector(".side-by-side");
    F.fetchCube(give).then((cube) => run(F.read(cube)), () => { output.textContent = "The results by subgroup could not be loaded."; });

    function run(data) {
      const cube = data.cube, names = cube.dims.map((d) => d.name);
      const states = cube.cube.n.map((n, i) => { const chosen = {};
        cube.dims.forEach((d) => { const code = cube.cube[d.name][i]; if (code) chosen[d.name] = d.values[code]; });
        return { i, n, chosen, label: data.label(chosen), set: names.filter((name) => chosen[name]).join("+") }; });
      const sets = [...new Set(states.map((s) => s.set))].filter((set) => set && states.filter((s) => s.set === set).length > 1);
      const title = (set) => set.split("+").map((n) => data.column(n).label).join(" \u00d7 ");
      const options = (select, list) => select.replaceChildren(...list.map(([value, text]) => make("option", { value }, text)));
      const el = form.elements;
      options(el.result, cube.keys.map((k) => [k.key, k.label]));
      options(el.set, sets.map((set) => [set, title(set)]));
      options(el.first, states.map((s) => [s.i, s.label]));
      options(el.second, states.map((s) => [s.i, s.label]));
      const largest = states.filter((s) => s.set === sets[0]).sort((a, b) => b.n - a.n);
      ["first", "second"].forEach((name, i) => { if (largest[i]) el[name].value = largest[i].i; });
      let order = "rank", down = false;
      const saved = new URLSearchParams(location.search);
      Array.from(el).forEach((control) => { if (control.name && saved.has(control.name)) control.value = saved.get(control.name); });
      Array.from(el).forEach((control) => { if (control.tagName === "SELECT" && control.selectedIndex < 0) control.selectedIndex = 0; });

      function rows() {
        const key = el.result.value, all = states.filter((s) => s.set === el.set.value).map((s) => Object.assign({ cell: data.cell("own", s.i, key) }, s));
        const shown = all.filter((s) => s.cell.shown && s.cell.low !== null);
        const level = 0.95, z = 1.959964;
        return { key, missing: all.filter((s) => !s.cell.shown), shown: ranked(shown.map((s) => Object.assign(s, { estimate: s.cell.estimate, error: (s.cell.high - s.cell.low) / 2 / z })), level) };
      }
      function update() {
        const found = rows(), facet = el.set.value.includes("+") ? el.set.value.split("+")[0] : "";
        const values = found.shown.flatMap((s) => [s.cell.low, s.cell.high]).concat(0), ends = [Math.min(...values), Math.max(...values)];
        const panels = facet ? data.column(facet).values.slice(1).map((v, i) => [data.column(facet).labels[i + 1], found.shown.filter((s) => s.chosen[facet] === v)]) : [[title(el.set.value), found.shown]];
        charts.replaceChildren(...panels.filter(([, list]) => list.length).map(([name, list]) => panel(name, list, ends, facet)));
        table(found);
        sideBySide();
        const label = cube.keys[data.keys.get(found.key)].label, top = found.shown[0];
        output.textContent = "Exploratory: " + label + " in " + found.shown.length + " subgroups" + (!top ? "" : found.shown.some((s) => s.best > 1)
            ? "; the highest estimate is that of " + top.label + ", which may rank from " + top.best + " to " + top.worst
            : "; their intervals overlap, so none can be ranked above another")
          + (found.missing.length ? "; " + found.missing.length + " are not shown" : "") + ".";
        const url = new URL(location.href);
        ["result", "set", "first", "second", "find"].forEach((name) => url.searchParams.set(name, el[name].value));
        try { history.replaceState(null, "", url); } catch (e) { /* a sandboxed frame */ }
      }
      function panel(name, list, [low, high], facet) {
        const width = 340, step = 40, height = 26 + step * list.length, x = (v) => 8 + (v - low) / (high - low || 1) * (width - 16);
        const said = list.map((s) => s.label + " " + F.value(s.cell)).join("; ");
        const svg = draw("svg", { class: "chart dots", viewBox: "0 0 " + width + " " + height, role: "img", "aria-label": name + ". " + said },
          draw("line", { class: "zero", x1: x(0), x2: x(0), y1: 4, y2: height - 8, stroke: "var(--edge, #71808a)" }));
        list.forEach((s, i) => {
          const y = 34 + step * i, style = data.style(s.chosen), colour = "var(--g-" + style + ")";
          const label = cube.dims.filter((d) => s.chosen[d.name] && d.name !== facet).map((d) => d.labels[d.values.indexOf(s.chosen[d.name])]).join(", ");
          svg.append(draw("text", { class: "label", x: 0, y: y - 12, "font-size": 13 }, label), draw("text", { class: "value", x: width, y: y - 12, "text-anchor": "end", "font-size": 13 }, F.value(s.cell)),
            draw("line", { class: "interval", x1: x(s.cell.low), x2: x(s.cell.high), y1: y, y2: y, stroke: colour, "stroke-width": 3 }),
            draw("path", { class: "m " + style, d: F.SHAPES[style], transform: "translate(" + x(s.cell.estimate).toFixed(1) + "," + y + ")", fill: colour }));
        });
        return make("figure", { class: "panel" }, make("figcaption", {}, make("strong", {}, name)), svg);
      }
      const columns = [["label", "Subgroup"], ["n", "n"], ["estimate", "Estimate"], ["shrunken", "Shrunken"], ["rank", "Rank"], ["spread", "Rank interval"]];
      function table({ shown, missing }) {
        const wanted = el.find.value.trim().toLowerCase(), by = (s) => order === "label" ? s.label : order === "spread" ? s.worst - s.best : s[order];
        const list = shown.filter((s) => s.label.toLowerCase().includes(wanted)).sort((a, b) => (by(a) > by(b) ? 1 : by(a) < by(b) ? -1 : 0) * (down ? -1 : 1));
        const head = columns.map(([name, text]) => { const b = make("button", { type: "button" }, text);
          b.addEventListener("click", () => { down = order === name && !down; order = name; table({ shown, missing }); board.querySelector("th[aria-sort] button").focus(); });
          return make("th", { scope: "col", class: name === "label" ? null : "n", "aria-sort": order === name ? (down ? "descending" : "ascending") : null }, b); });
        const d = (v) => F.number(Math.round(v), 2);
        const line = (s) => make("tr", {}, make("th", { scope: "row" }, s.label), ...[F.count(s.n), F.value(s.cell), d(s.shrunken), String(s.rank), s.best + " to " + s.worst].map((t) => make("td", { class: "n" }, t)));
        const gone = missing.filter((s) => s.label.toLowerCase().includes(wanted)).map((s) => make("tr", {}, make("th", { scope: "row" }, s.label), make("td", { class: "withheld", colspan: 5 }, make("span", {}, s.cell.why))));
        board.replaceChildren(make("table", {}, make("caption", { class: "sr" }, "Subgroups"), make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...list.map(line), ...gone)));
      }
      function sideBySide() {
        const [a, b] = [states[el.first.value], states[el.second.value]];
        const keys = cube.keys.filter((k) => /^[^|]*\|(indirect)?\|/.test(k.key));
        const text = (c) => c.shown ? make("td", { class: "n" }, F.value(c)) : make("td", { class: "withheld" }, make("span", {}, c.why));
        const test = (k) => { const gap = data.gap(a.i, b.i, k.key);
          return !gap ? make("td", {}) : gap.shown ? make("td", { class: "n" }, F.value(gap) + ", p " + F.pText(gap.p)) : make("td", { class: "withheld" }, make("span", {}, gap.why)); };
        pair.replaceChildren(make("table", {}, make("caption", { class: "sr" }, a.label + " beside " + b.label),
          make("thead", {}, make("tr", {}, ...["Measure", a.label + " (n = " + F.count(a.n) + ")", b.label + " (n = " + F.count(b.n) + ")", "Difference"].map((t, i) => make("th", { scope: "col", class: i ? "n" : null }, t)))),
          make("tbody", {}, ...keys.map((k) => make("tr", {}, make("th", { scope: "row" }, k.label), text(data.cell("own", a.i, k.key)), text(data.cell("own", b.i, k.key)), test(k))))));
      }
      form.addEventListener("change", update);
      form.addEventListener("input", (e) => { if (e.target.name === "find") table(rows()); });
      form.addEventListener("submit", (e) => e.preventDefault());
      update();
      root.dataset.ready = "";
    }
  }
  Object.assign(F, { ranked });
  const all = () => $$("section.explore", document).forEach(start);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all); else all();
})();
