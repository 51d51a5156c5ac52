/* Learning with Others: theme, number cards, search, tabs, page contents.
   Every page is complete without this file; it reads one JSON block, #page-data, and sets attributes only. */
(function () {
  "use strict";
  const root = document.documentElement;
  const script = document.currentScript, libs = script && script.dataset.libs;
  const saved = { get() { try { return localStorage.getItem("theme"); } catch (e) { return null; } },
                  set(v) { try { localStorage.setItem("theme", v); } catch (e) { /* private window */ } } };
  root.classList.add("js");
  if (saved.get()) root.dataset.theme = saved.get();

  const $ = (s, el) => (el || document).querySelector(s);
  const $$ = (s, el) => Array.from((el || document).querySelectorAll(s));
  const make = (tag, attributes, ...children) => {
    const el = document.createElement(tag);
    Object.entries(attributes || {}).forEach(([k, v]) => el.setAttribute(k, v));
    el.append(...children);
    return el;
  };

  /* theme */
  function theme() {
    const button = $(".theme");
    if (!button) return;
    const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const show = () => button.setAttribute("aria-pressed", String(dark()));
    button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; saved.set(root.dataset.theme); show(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    show();
  }

  /* number cards: on hover or focus of a <data class="num">; Escape closes; the pointer may move onto the card */
  const LINES = [["Estimate", "estimate"], ["95% interval", "interval"], ["Students", "n"], ["Printed", "printed"], ["Model", "model"]];
  function cards(page) {
    const rows = page.rows || {}, names = Object.assign({}, ...LINES.map(([name, key]) => ({ [key]: name })), page.names);
    const byPlace = Object.fromEntries(Object.values(rows).map((row) => [row.to.slice(row.to.indexOf("#")), row]));
    const counted = (num) => {
      const found = (num.dataset.rows || "").split(" ").map((id) => byPlace["#" + id]).filter(Boolean);
      return found.length && { what: "Counted from " + found.length + " rows", to: found[0].to, list: found.slice(0, 8).map((r) => [r.what, r.estimate])
        .concat(found.length > 8 ? [["and " + (found.length - 8) + " more", ""]] : []) };
    };
    let open = null, timer = 0;
    const close = () => { clearTimeout(timer); if (open) { open.remove(); open = null; } };
    const show = (num) => {
      clearTimeout(timer);
      const row = rows[num.dataset.row] || counted(num);
      if (!row || (open && open.parentNode === num)) return;
      close();
      open = make("span", { class: "card", role: "group", "aria-label": "Source of " + num.textContent.trim() });
      open.append(make("b", {}, row.what));
      LINES.forEach(([, key]) => row[key] && open.append(make("span", {}, make("i", {}, names[key] + " "), make("em", {}, row[key]))));
      (row.list || []).forEach(([name, value]) => open.append(make("span", { class: "brief" }, make("i", {}, name + " "), make("em", {}, value))));
      if (row.to) open.append(make("a", { href: row.to }, row.list ? "First row in the data table" : "Row in the data table"));
      if (row.code) open.append(" ", make("a", { href: row.code }, "Code that computes it"));
      num.append(open);
      const box = num.getBoundingClientRect();
      open.classList.toggle("end", box.left + 320 > innerWidth);
      open.classList.toggle("up", box.bottom + open.offsetHeight + 12 > innerHeight);
    };
    const later = () => { clearTimeout(timer); timer = setTimeout(close, 250); };
    $$("data.num").forEach((num) => {
      num.addEventListener("mouseenter", () => show(num));
      num.addEventListener("mouseleave", () => { if (!num.contains(document.activeElement)) later(); });
      num.addEventListener("focusin", () => show(num));
      num.addEventListener("focusout", (e) => { if (!num.contains(e.relatedTarget)) later(); });
    });
    document.addEventListener("keydown", (e) => { if (e.key === "Escape") close(); });
  }

  /* a link to a folded row, cell or tab unfolds it */
  function openTarget(hash) {
    const el = hash && document.getElementById(decodeURIComponent(hash.slice(1)));
    if (!el) return;
    for (let up = el; up; up = up.parentElement) {
      if (up.matches("details")) up.open = true;
      if (up.matches(".tab[hidden]")) document.getElementById(up.getAttribute("aria-labelledby")).click();
    }
    const fold = $(":scope > details", el);
    if (fold && el.matches(".cell-fold")) fold.open = true;
    if (el.closest("details, .tab")) el.scrollIntoView();
  }

  /* tabs: sections one below the other become a tab list */
  function tabs() {
    $$(".tabset").forEach((set, s) => {
      const panels = $$(":scope > .tab", set), list = make("div", { class: "tablist", role: "tablist" });
      const pick = (i, focus) => panels.forEach((panel, j) => {
        const button = list.children[j];
        panel.hidden = i !== j;
        button.setAttribute("aria-selected", String(i === j));
        button.tabIndex = i === j ? 0 : -1;
        if (focus && i === j) button.focus();
      });
      panels.forEach((panel, i) => {
        panel.id = panel.id || "tab-" + s + "-" + i;
        const button = make("button", { type: "button", role: "tab", id: panel.id + "-tab", "aria-controls": panel.id }, $(".tab-name", panel).textContent);
        panel.setAttribute("role", "tabpanel");
        panel.setAttribute("aria-labelledby", button.id);
        button.addEventListener("click", () => pick(i));
        list.append(button);
      });
      list.addEventListener("keydown", (e) => {
        const n = panels.length, at = Array.from(list.children).indexOf(document.activeElement);
        const to = { ArrowRight: (at + 1) % n, ArrowLeft: (at + n - 1) % n, Home: 0, End: n - 1 }[e.key];
        if (to !== undefined) { e.preventDefault(); pick(to, true); }
      });
      set.prepend(list);
      set.classList.add("live");
      pick(0);
    });
  }

  /* search: the library and the index load with the first use, as classic scripts, so that file:// works */
  const load = (src) => new Promise((done, fail) => {
    const el = make("script", { src });
    el.onload = done; el.onerror = () => fail(new Error(src));
    document.head.append(el);
  });
  function search() {
    const button = $(".find");
    if (!button) return;
    const input = make("input", { type: "search", name: "q", autocomplete: "off", spellcheck: "false" });
    const status = make("output", {}), list = make("ol", { "aria-label": "Results" });
    const dialog = make("dialog", { class: "search", "aria-label": "Search the report" },
      make("form", { method: "dialog" }, make("label", {}, "Search the report", input), make("button", { type: "submit" }, "Close")), status, list);
    document.body.append(dialog);
    let engine = null;
    const ready = () => engine || (engine = load(libs + "/vendor/minisearch.js").then(() => load(libs + "/search-index.js")).then(() => {
      const mini = new globalThis.MiniSearch({ fields: ["heading", "page", "text"], storeFields: ["page", "heading", "text"],
        searchOptions: { boost: { heading: 3, page: 2 }, prefix: true, fuzzy: (t) => t.length > 4 ? .2 : 0, combineWith: "AND" } });
      mini.addAll(globalThis.lwoSearch);
      return mini;
    }));
    const excerpt = (text, terms) => {
      const lower = text.toLowerCase(), first = Math.min(...terms.map((t) => lower.indexOf(t)).filter((i) => i >= 0));
      const start = Number.isFinite(first) ? Math.max(0, text.lastIndexOf(" ", Math.max(0, first - 50)) + 1) : 0;
      const span = make("span", {}, start ? "\u2026 " : "");
      text.slice(start, start + 150).split(/(\s+)/).forEach((word) => {
        const hit = terms.some((t) => word.toLowerCase().includes(t));
        span.append(hit ? make("mark", {}, word) : word);
      });
      span.append(" \u2026");
      return span;
    };
    const update = async () => {
      const query = input.value.trim();
      let mini;
      try { mini = await ready(); } catch (e) { status.textContent = "The search could not be loaded."; return; }
      if (query !== input.value.trim()) return;
      const hits = query ? mini.search(query).slice(0, 20) : [];
      list.replaceChildren(...hits.map((hit) => make("li", {}, make("a", { href: libs.replace(/site_libs$/, "") + hit.id },
        make("b", {}, hit.heading ? hit.page + ": " + hit.heading : hit.page), excerpt(hit.text, hit.terms)))));
      status.textContent = !query ? "" : hits.length === 1 ? "1 section found." : hits.length + " sections found.";
    };
    const open = () => { if (!dialog.open) { dialog.showModal(); input.select(); ready().catch(() => {}); } };
    button.addEventListener("click", open);
    input.addEventListener("input", update);
    dialog.addEventListener("keydown", (e) => {
      const links = $$("a", list), at = links.indexOf(document.activeElement);
      if (e.key === "ArrowDown" && links.length) { e.preventDefault(); links[Math.min(at + 1, links.length - 1)].focus(); }
      if (e.key === "ArrowUp") { e.preventDefault(); (at > 0 ? links[at - 1] : input).focus(); }
      if (e.key === "Escape") { e.preventDefault(); dialog.close(); }
      if (e.key === "Enter" && e.target === input) { e.preventDefault(); if (links.length) links[0].click(); }
    });
    dialog.addEventListener("click", (e) => { if (e.target === dialog || e.target.closest("ol a")) dialog.close(); });
    document.addEventListener("keydown", (e) => {
      const typing = e.target.closest && e.target.closest("input, select, textarea, [contenteditable]");
      if ((e.key === "/" && !typing && !e.ctrlKey && !e.metaKey) || (e.key.toLowerCase() === "k" && (e.ctrlKey || e.metaKey))) { e.preventDefault(); open(); }
    });
  }

  /* scorecard: findings by verdict, research question and words; the choice stands in the address */
  function scorecard() {
    const form = $("form[data-scorecard]");
    if (!form) return;
    const table = $(".scorecard", form.parentElement), rows = $$("tr[data-verdict]", table), status = $("output", form);
    const keys = ["verdict", "question", "text"], asked = new URLSearchParams(location.search);
    keys.forEach((key) => { if (asked.has(key)) form.elements[key].value = asked.get(key); });
    const update = () => {
      const [v, q, t] = keys.map((key) => form.elements[key].value.trim().toLowerCase());
      rows.forEach((row) => { row.hidden = !((!v || row.dataset.verdict === v) && (!q || row.dataset.question === q) && (!t || row.textContent.toLowerCase().includes(t))); });
      $$("tbody", table).forEach((body) => { body.hidden = !$("tr[data-verdict]:not([hidden])", body); });
      const shown = rows.filter((row) => !row.hidden).length;
      status.textContent = shown + " of " + rows.length + " findings shown" + (shown ? "." : ": no finding fits all three. Reset to see them all.");
      const search = new URLSearchParams(keys.map((key) => [key, form.elements[key].value]).filter(([, value]) => value)).toString();
      try { history.replaceState(null, "", location.pathname + (search ? "?" + search : "") + location.hash); } catch (e) { /* a local file in some browsers */ }
    };
    form.addEventListener("input", update);
    form.addEventListener("reset", () => setTimeout(update));
    form.addEventListener("submit", (e) => e.preventDefault());
    update();
  }

  /* page contents: mark the section in view */
  function contents() {
    const links = $$(".contents a");
    if (!links.length || !window.IntersectionObserver) return;
    const seen = new IntersectionObserver((es) => es.forEach((e) => { if (!e.isIntersecting) return;
      links.forEach((a) => a.hash === "#" + e.target.id ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current")); }),
      { rootMargin: "-10% 0px -75% 0px" });
    links.forEach((a) => { const s = document.getElementById(decodeURIComponent(a.hash.slice(1))); if (s) seen.observe(s); });
  }

  /* a filter whose script did not come: no controls that do nothing */
  function orphans() {
    if (globalThis.lwoFilter) return;
    $$("form.filter").forEach((form) => {
      $$(".needs-js", form).forEach((el) => el.remove());
      $("output", form).append(" The filter could not be loaded; figures, tables and sentences are complete without it.");
    });
  }

  addEventListener("load", orphans);
  document.addEventListener("DOMContentLoaded", () => {
    const block = document.getElementById("page-data"), page = block ? JSON.parse(block.textContent) : {};
    theme(); cards(page); tabs(); scorecard(); search(); contents(); openTarget(location.hash);
    addEventListener("hashchange", () => openTarget(location.hash));
    document.addEventListener("click", (e) => { const a = e.target.closest("a[href*='#']"); if (a && a.pathname === location.pathname) openTarget(a.hash); });
    $$("[popover]").forEach((p) => p.addEventListener("click", (e) => { if (e.target.closest("a") && p.matches(":popover-open")) p.hidePopover(); }));
  });
})();
