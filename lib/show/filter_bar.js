/* The bar: native controls, address, status line, tables, sentences and downloads of a view. */
(function () {
  "use strict";
  const F = globalThis.lwoFilter, { make, $$, NBSP } = F;
  const EXPLORATORY = "Exploratory: ", PATH = "SD per SD";
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  /* form: the bar; scope: what it moves; give: {name, home, anchors, meta}; cube: the data, or a promise of it */
  function attach(form, scope, give, cube, hooks) {
    const selects = Object.fromEntries($$("select", form).map((el) => [el.name, el]));
    const dims = Object.keys(selects).filter((name) => name !== "vs");
    const output = form.querySelector("output"), first = output.textContent, home = give.home || {};
    let data = null, value = Object.assign({}, home), view = null, plots = null, tables = null, prose = null, pending = null, late = [];
    const listeners = [];

    /* value <-> controls */
    const tidy = (given) => {
      const kept = {};
      for (const name of dims) if (given[name] && Array.from(selects[name].options).some((o) => o.value === given[name])) kept[name] = given[name];
      if (given.vs) kept.vs = given.vs;
      return kept;
    };
    const isHome = () => same(value, tidy(home)), still = () => isHome() && !give.drawn;   // drawn: the chapter has no figure of its own
    function show() {
      for (const name of dims) selects[name].value = value[name] || "";
      const vs = selects.vs;
      if (data) $$("option[data-level]", vs).forEach((o) => o.remove());
      if (data) for (const name of Object.keys(value).filter((n) => n !== "vs")) {
        const dim = data.column(name);
        dim.values.forEach((level, i) => {
          if (!level || level === value[name]) return;
          const shared = Object.keys(value).filter((n) => n !== "vs" && data.column(n).values.includes(level)).length > 1;
          vs.append(make("option", { value: shared ? name + "." + level : level, "data-level": "" }, dim.labels[i]));
        });
      }
      if (data && value.vs && !Array.from(vs.options).some((o) => o.value === value.vs)) { delete value.vs; }
      vs.value = value.vs || "";
    }
    function marks() {                                    // an option that would show nothing says so
      for (const name of dims) Array.from(selects[name].options).forEach((o) => {
        const chosen = data.clean(Object.assign({}, value, { [name]: o.value })), found = data.reason(chosen);
        const label = o.dataset.label || (o.dataset.label = o.textContent);
        const text = label + (found.place < 0 ? " (" + found.why.replace(/:.*/, "") + ")" : "");
        if (o.textContent !== text) o.textContent = text;
      });
    }

    /* drawing: what is in view at once, the rest when there is time */
    function parts() {
      if (plots) return;
      plots = $$("svg[data-plot]", scope).filter((svg) => !give.figures || give.figures.includes((svg.closest("figure") || {}).id)).map(F.figure)
        .filter((plot) => plot.keys.some((key) => data.keys.has(key)));
      const seen = new Set();
      tables = plots.map((plot) => (plot.svg.closest("figure") || plot.svg.closest(".plate"))).filter((el) => !seen.has(el) && seen.add(el));
      plots.forEach((plot) => { plot.home = (plot.svg.closest("figure") || plot.svg.closest(".plate")); });
      prose = paragraphs();
    }
    const captions = new Map();
    /* which drawings are in view is watched, not measured: measuring would lay the page out once more for each change */
    const seen = new Set(), watch = new IntersectionObserver((entries) => entries.forEach((e) => { if (e.isIntersecting) seen.add(e.target); else seen.delete(e.target); }),
      { rootMargin: "100px" });
    function redraw() {
      clearTimeout(pending);
      plots.forEach((plot) => { plot.seen = seen.has(plot.svg); });
      const first = tables.filter((el) => plots.some((plot) => plot.home === el && plot.seen)), rest = tables.filter((el) => !first.includes(el));
      first.forEach((el) => picture(el, true));
      late = first.map((el) => () => card(el)).concat(prose.map((one) => () => sentence(one)), first.map((el) => () => picture(el, false)), [marks],
        rest.map((el) => () => { picture(el, false); card(el); }), [cells]);
      const next = () => { const job = late.shift(); if (job) { job(); pending = setTimeout(next); } else settle(); };
      pending = setTimeout(next);
    }
    function settle() {                                   // all that waits, at once
      clearTimeout(pending);
      for (let job = late.shift(); job; job = late.shift()) job();
      form.dataset.drawn = JSON.stringify(value);
    }
    function picture(el, seen) {                          // the drawing that fits the column first, the other later
      const own = plots.filter((plot) => plot.home === el && plot.seen === seen);
      if (still()) { own.forEach((plot) => plot.restore()); return; }
      own.forEach((plot) => plot.show(view, { title: head(), text: words(own[0]) }));
    }
    const head = () => EXPLORATORY + view.a.label + (view.b ? " beside " + F.lower(view.b.label) : "");
    function card(el) {
      const own = plots.filter((plot) => plot.home === el), home = still();
      heading(el, home ? null : head(), own[0]);
      table(el, home ? null : own[0]);
    }
    function words(plot) {
      const line = ([label, , key]) => label + ": " + [view.a, ...(view.b ? [view.b] : [])].map((g) => { const c = g.cell(key);
        return c ? g.label + " " + F.told(g, key) : ""; }).filter(Boolean).join("; ");
      return (view.b ? F.sized(view.a) + " and " + F.sized(view.b) : F.sized(view.a)) + ". " + plot.lines.map(line).join(". ") + ".";
    }
    function heading(el, text, plot) {
      const caption = el.querySelector("figcaption");
      if (caption) {
        let now = caption.querySelector(".view-title");
        const was = caption.querySelector("strong:not(.view-title *)");
        if (text && !now) caption.prepend(now = make("span", { class: "view-title" }, make("strong", {}), make("span", {})));
        if (now) { now.hidden = !text; if (text) { now.firstChild.textContent = text; now.lastChild.textContent = people() + " "; } }
        if (was) was.toggleAttribute("hidden", !!text);
        let texts = captions.get(caption);
        if (!texts) captions.set(caption, texts = Array.from(caption.childNodes).filter((node) => node.nodeType === 3).map((node) => [node, node.data]));
        texts.forEach(([node, own]) => {                  // the caption's own people give way to the view's
          const from = (give.people || []).map((who) => own.lastIndexOf(who + ", n")).filter((at) => at >= 0);
          node.data = text && from.length ? own.slice(0, Math.min(...from)) : own; });
      }
      const key = el.querySelector("ul.key:not(.view)"), mine = el.querySelector("ul.key.view");
      if (key) key.toggleAttribute("hidden", !!text);
      if (mine) mine.remove();
      if (text && key) key.after(make("ul", { class: "key view" }, ...[view.a, view.b].filter(Boolean).map((g) => make("li", { class: g.style }, glyph(g.style), make("span", {}, F.sized(g) + absent(g, plot)))),
        ...(plot.plot.kind === "pair" ? [make("li", {}, "hollow: before, filled: after")] : [make("li", {}, "line: interval")])));
    }
    const absent = (g, plot) => {                         // one reason for all lines is said once, in the key
      const cells = plot.keys.map((key) => g.cell(key)).filter(Boolean), why = new Set(cells.map((c) => c.shown ? "" : c.why));
      return cells.length && why.size === 1 && !cells[0].shown ? ": " + cells[0].why : "";
    };
    const glyph = (style) => F.draw("svg", { viewBox: "-14 -8 28 16", width: 28, height: 16, "aria-hidden": "true", focusable: "false" },
      F.draw("path", { d: F.SHAPES[style], class: "m " + style, fill: "var(--g-" + style + ")" }));
    const people = () => view.a.why ? view.a.label + ": " + view.a.why + "." : F.sized(view.a) + (view.b ? " beside " + F.lower(F.sized(view.b)) : "") + ".";

    /* the view's data table, in place of the chapter's */
    function table(el, plot) {
      const own = el.querySelector("details.data .scroll:not(.view)"), mine = el.querySelector(".scroll.view");
      if (mine) mine.remove();
      if (own) own.toggleAttribute("hidden", !!plot);
      const bar = el.querySelector("p.view-files");
      if (bar) bar.remove();
      if (!plot || !own) return;
      const made = results(plot.keys);
      own.after(make("div", { class: "scroll view", role: "region", tabindex: "0", "aria-label": "Data: " + people() }, made));
      const button = (text, act) => { const b = make("button", { type: "button" }, text); b.addEventListener("click", act); return b; };
      const drawn = () => plots.find((p) => p.home === el && p.svg.getBoundingClientRect().height > 0) || plots.find((p) => p.home === el);
      el.querySelector("details.data").append(make("p", { class: "download view-files" }, "This view: ", button("CSV", () => F.files.csv(files(plot.keys, el))), " ",
        button("SVG", () => F.files.svg(drawn().svg, files(plot.keys, el))), " ", button("PNG", () => F.files.png(drawn().svg, files(plot.keys, el)))));
    }
    function results(keys) {
      const head = ["Measure", "Students", "Estimate", "Interval", "n", "Difference and test"];
      const rows = keys.flatMap((key) => [view.a, view.b].filter(Boolean).map((g, i) => ({ key, g, i, c: g.cell(key) })).filter((r) => r.c));
      const line = ({ key, g, i, c }) => make("tr", {}, make("th", { scope: "row" }, named(key)), make("td", {}, g.label),
        ...(c.shown ? [make("td", { class: "n" }, F.estimate(c)), make("td", { class: "n" }, F.interval(c, " to ")), make("td", { class: "n" }, c.n === null ? "" : F.count(c.n))]
          : [make("td", { class: "withheld", colspan: 3 }, make("span", {}, c.why))]),
        make("td", {}, i ? "" : F.difference(view, key)));
      return make("table", {}, make("caption", { class: "sr" }, people()), make("thead", {}, make("tr", {}, ...head.map((h) => make("th", { scope: "col" }, h)))),
        make("tbody", {}, ...rows.map(line)));
    }
    const named = (key) => data.cube.keys[data.keys.get(key)].label;
    function files(keys, el) {
      const slug = [el && el.id, ...Object.values(view.chosen), value.vs].filter(Boolean).join("-").replace(/[^\w.-]+/g, "-") || "all";
      return { slug, view, keys, named, data, title: people(), address: address(),
        rows: [view.a, view.b].filter(Boolean).flatMap((g) => keys.map((key) => ({ g, key, c: g.cell(key) }))).filter((r) => r.c) };
    }

    /* what stands at a place of the page: a result of the students chosen (a), of those beside them (b), or their difference */
    const about = (id) => { const said = give.anchors[id] || "", [side] = /^(a|b|gap):/.exec(said) || ["a:"];
      return [side.slice(0, -1), said.startsWith(side) ? said.slice(side.length) : said]; };

    /* computed sentences: each says, of the rows it quotes, what the view says of them */
    function paragraphs() {
      const found = [];
      $$("p, li", scope).forEach((p) => {
        if (p.closest("figure, table, form, aside, .plate, .callout")) return;
        const single = [], counted = [];
        $$("data.num", p).forEach((num) => {
          const link = num.querySelector("a"), key = link && about(link.hash.slice(1))[1];
          if (num.dataset.rows) { const many = num.dataset.rows.split(" ").map((a) => about(a)[1]).filter(Boolean); if (many.length) counted.push(many); }
          else if (key && !single.includes(key)) single.push(key);
        });
        if (single.length || counted.length) found.push({ p, single: single.filter((k) => data.keys.has(k)), counted, now: null });
      });
      return found;
    }
    function sentence(one) {
      one.p.toggleAttribute("hidden", !isHome());
      if (isHome()) { if (one.now) one.now.hidden = true; return; }
      if (!one.now) one.p.after(one.now = make(one.p.tagName.toLowerCase(), { class: "view-sentence" }));
      one.now.hidden = false;
      const text = EXPLORATORY + explained(one);
      if (one.now.textContent !== text) one.now.textContent = text;
    }
    function explained(one) {
      if (view.a.why) return view.a.label + ": " + view.a.why + ".";
      const among = "among " + F.sized(view.a) + (view.b ? ", beside " + F.lower(F.sized(view.b)) : "") + ": ";
      const tally = (g, keys) => { const cells = keys.map((k) => g.cell(k)).filter((c) => c && c.shown);
        return cells.filter((c) => c.low > 0 || c.high < 0).length + " of " + cells.length; };
      const counts = one.counted.slice(0, 1).filter((keys) => keys.every((k) => !data.keys.has(k) || data.cube.keys[data.keys.get(k)].unit === PATH)).map((keys) => tally(view.a, keys) + " estimates are clear of zero" + (view.b ? " (" + tally(view.b, keys) + " beside)" : ""));
      const each = one.single.map((key) => named(key) + " " + F.told(view.a, key) + (view.b ? ", beside " + F.told(view.b, key) : "")
        + (F.difference(view, key) ? "; " + F.difference(view, key) : ""));
      return among + counts.concat(each).join(". ") + ".";
    }

    /* cells of other tables */
    let marked = null;
    function cells() {
      marked = marked || Object.keys(give.anchors).map((id) => ({ el: document.getElementById(id), side: about(id)[0], key: about(id)[1] }))
        .filter(({ el, key }) => el && /^T[DR]$/.test(el.tagName) && scope.contains(el) && data.keys.has(key) && !el.closest("details.data")).map((m) => Object.assign(m, { was: Array.from(m.el.childNodes) }));
      marked.forEach(({ el, side, key, was }) => {        // a cell, or a line of a table after its heading
        if (isHome()) { el.replaceChildren(...was); return; }
        const line = (text) => make("span", { class: "view-cell" }, text), apart = F.difference(view, key);
        const sides = [view.a, view.b].filter((g, i) => g && (!home.vs || (i ? "b" : "a") === side)).map((g) => line(g.label + ": " + F.told(g, key)));
        const words = side === "gap" ? [line(apart || "not given")] : sides;
        if (el.tagName === "TD") el.replaceChildren(...words);
        else el.replaceChildren(was[0], make("td", { colspan: was.length - 1 }, ...words, ...(apart && side === "a" ? [line(apart)] : [])));
      });
    }

    const whom = () => Object.keys(home).length && give.who ? give.who : F.lower(give.who || "all students");

    /* one change: controls, drawings, address, one announcement */
    function say() {
      const text = isHome() ? first : people() + (view.a.why || view.b ? "" : value.vs === "none" ? "" : " There is nobody to compare with.") + " What neither says \u201cExploratory\u201d nor names a group stays about " + whom() + ".";
      if (output.textContent !== text) output.textContent = text;
    }
    function refresh() {
      if (!data) return;
      view = F.look(data, value);
      show();
      parts();
      redraw();
      if (hooks && hooks.board) hooks.board.replaceChildren(results(data.cube.keys.map((k) => k.key).filter((key) => /^[^|]*\|(indirect)?\|/.test(key))));
      say();
    }
    function set(next, how) {
      const before = JSON.stringify(value);
      value = tidy(next);
      if (how !== "address" && before !== JSON.stringify(value)) listeners.forEach((f) => f(value, how));
      if (data) refresh(); else show();
    }
    const need = () => cube().then((content) => { if (!data) { data = F.read(content); form.dataset.ready = ""; listed(); } return data; },
      () => { output.textContent = "The results by subgroup could not be loaded. Figures, tables and sentences show " + whom() + "."; throw new Error("no cube"); });
    const chosen = () => Object.assign(Object.fromEntries(dims.map((name) => [name, selects[name].value]).filter(([, level]) => level)), selects.vs.value ? { vs: selects.vs.value } : {});
    function listed() {
      const box = form.querySelector("details.unshown");
      if (!box) return;
      const names = data.cube.dims, label = (code) => names.map((d, i) => code[i] ? d.labels[code[i]] : "").filter(Boolean).join(", ");
      box.querySelector("div").replaceChildren(make("p", {}, data.cube.hidden.length + " subgroups are " + data.cube.words.hidden + ":"),
        make("ul", {}, ...data.cube.hidden.map((code) => make("li", {}, label(code)))),
        make("p", {}, "Any other combination that the lists offer and that is missing here is " + data.cube.words.few + ". Models with a latent variable need "
          + "more students; where a subgroup has too few for one, the figure says so."));
    }
    function address() { return (hooks && hooks.address ? hooks.address() : ""); }

    form.addEventListener("change", () => need().then(() => set(chosen(), "reader"), () => {}));
    form.addEventListener("reset", (e) => { e.preventDefault(); need().then(() => set(Object.assign({}, home), "reader"), () => {}); });
    form.addEventListener("submit", (e) => e.preventDefault());
    form.addEventListener("pointerover", () => need().catch(() => {}), { once: true });
    form.addEventListener("focusin", () => need().catch(() => {}), { once: true });
    form.addEventListener("click", (e) => {
      const act = e.target.closest("button[data-do]");
      if (!act) return;
      if (act.dataset.do === "link") copy(address(), (text) => { output.textContent = text; });
      if (act.dataset.do === "csv") need().then(() => { parts(); view = F.look(data, value); F.files.csv(files(data.cube.keys.map((k) => k.key), null)); }, () => {});
    });
    const speak = make("p", { class: "sr", role: "status" });
    form.append(speak);
    $$("svg[data-plot]", scope).forEach((svg) => {
      watch.observe(svg);
      svg.setAttribute("tabindex", "0");
      svg.setAttribute("role", "application");
      svg.setAttribute("aria-roledescription", "chart, arrow keys read the marks");
      const [named, told] = (svg.getAttribute("aria-labelledby") || "").split(" ");
      if (told) { svg.setAttribute("aria-labelledby", named); svg.setAttribute("aria-describedby", told); }
      let alone = null;
      const plot = () => (plots && plots.find((p) => p.svg === svg)) || (alone = alone || F.figure(svg));
      svg.addEventListener("keydown", (e) => plot().walk(e, (text) => { speak.textContent = text; }));
      svg.addEventListener("blur", () => plot().leave());
    });
    const early = chosen();                               // what a reader chose before this script ran
    show();
    if (!same(tidy(early), tidy(home))) need().then(() => set(early, "reader"), () => {});
    return { set, get value() { return value; }, get view() { return view; }, listen: (f) => listeners.push(f), need, settle, isHome, form, name: give.name };
  }

  function copy(text, done) {
    const old = () => { const box = make("textarea", {}); box.value = text; document.body.append(box); box.select(); const ok = document.execCommand("copy"); box.remove();
      done(ok ? "The link to this view is copied." : "The link to this view: " + text); };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => done("The link to this view is copied."), old); else old();
  }

  /* the address: ?race=black&school=2&vs=white, with a name before each where a page has several filters */
  const short = (name, level) => level.startsWith(name + "_") ? level.slice(name.length + 1) : level;
  function fromAddress(form, prefix) {
    const query = new URLSearchParams(location.search), found = {};
    $$("select", form).forEach((el) => {
      const said = query.get(prefix + el.name);
      if (said === null) return;
      if (el.name === "vs") { found.vs = said; return; }
      const option = Array.from(el.options).find((o) => o.value && (o.value === said || short(el.name, o.value) === said));
      if (option) found[el.name] = option.value;
    });
    return { found, any: $$("select", form).some((el) => query.has(prefix + el.name)) };
  }
  function toAddress(form, value, prefix) {
    const url = new URL(location.href);
    $$("select", form).forEach((el) => { if (value[el.name]) url.searchParams.set(prefix + el.name, short(el.name, value[el.name])); else url.searchParams.delete(prefix + el.name); });
    return url;
  }

  const loading = new Map();
  function fetchCube(give) {                              // a classic script: it loads from file:// too
    const inline = give.inline && document.getElementById(give.inline);
    if (inline) return Promise.resolve(JSON.parse(inline.textContent));
    if (!loading.has(give.src)) loading.set(give.src, new Promise((done, fail) => {
      const el = make("script", { src: give.src });
      el.onload = () => { const cube = (globalThis.lwoCubes || {})[give.cube]; if (cube) done(cube); else fail(new Error(give.src)); };
      el.onerror = () => { loading.delete(give.src); fail(new Error(give.src)); };
      document.head.append(el);
    }));
    return loading.get(give.src);
  }

  function page() {
    const bars = $$("form[data-filter]", document).map((form) => {
      const give = JSON.parse(form.querySelector("script[type='application/json']").textContent), prefix = give.name ? give.name + "." : "";
      const scope = form.closest("main") || document.body;
      form.classList.add("live");
      const bar = attach(form, scope, give, () => fetchCube(give), { address: () => toAddress(form, bar.isHome() ? {} : bar.value, prefix).href });
      const restore = () => { const { found, any } = fromAddress(form, prefix); if (any || !bar.isHome()) bar.need().then(() => bar.set(any ? found : give.home || {}, "address"), () => {}); };
      bar.listen((value, how) => {
        bars.forEach((other) => { if (other !== bar && other.name === bar.name && how !== "shared") other.need().then(() => other.set(value, "shared"), () => {}); });
        const url = toAddress(form, bar.isHome() ? {} : value, prefix);
        if (how !== "shared" && url.href !== location.href) try { history.pushState(null, "", url); } catch (e) { /* a sandboxed frame */ }
      });
      addEventListener("popstate", restore);
      restore();
      return bar;
    });
    F.bars = bars;
    if (!bars.length) return;
    const carry = (e) => {                                // links to other chapters keep the view
      const a = e.target.closest && e.target.closest("a[href]");
      if (!a || a.protocol !== location.protocol || a.host !== location.host || !/\.html$|\/$/.test(a.pathname) || a.pathname === location.pathname) return;
      a.search = location.search;
    };
    ["click", "auxclick", "pointerdown", "focusin"].forEach((name) => document.addEventListener(name, carry, true));
  }

  /* anywidget */
  function render({ model, el }) {
    const box = make("div", { class: "lwo-filter" });
    box.innerHTML = model.get("html");                    // made by lib.show from released rows, its labels escaped
    el.append(box);
    const form = box.querySelector("form"), give = JSON.parse(form.querySelector("script[type='application/json']").textContent);
    form.classList.add("live");
    const bar = attach(form, box, give, () => Promise.resolve(model.get("cube")), { board: box.querySelector(".board") });
    const take = () => bar.need().then(() => bar.set(model.get("value") || {}, "address"));
    bar.listen((value) => { model.set("value", Object.assign({}, value)); model.save_changes(); });
    model.on("change:value", take);
    take();
    return () => model.off("change:value", take);
  }

  Object.assign(F, { attach, render, fetchCube });
  if (document.currentScript) { if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", page); else page(); }
})();
