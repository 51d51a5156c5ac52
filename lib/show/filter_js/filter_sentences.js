/* Computed sentences: each says, of the results it quotes, what the view says of them. */
(function () {
  "use strict";
  const { $$, difference, EXPLORATORY, lower, make, resultLabel, sized, told } = globalThis.lwoFilter;
  const PATH = "SD per SD";
  const NOT_PROSE = "figure, table, form, aside, .plate, .callout";

  // what stands at a place of the page: a result of the students chosen (a), of those beside them (b), or
  // their difference (gap)
  function anchored({ give }, id) {
    const said = give.anchors[id] || "";
    const [prefix, side] = /^(a|b|gap):/.exec(said) || ["", "a"];
    return { side, key: said.slice(prefix.length) };
  }

  function computedSentences(bar) {
    return $$("p, li", bar.scope)
      .filter((el) => !el.closest(NOT_PROSE))
      .map((el) => quotes(bar, el))
      .filter(({ single, counted }) => single.length || counted.length)
      .map((one) => ({ ...one, single: one.single.filter((key) => bar.data.keys.has(key)), shown: null }));
  }

  // the results that a sentence quotes one by one, and those it counts
  function quotes(bar, el) {
    const single = new Set();
    const counted = [];
    $$("data.num", el).forEach((num) => {
      const link = num.querySelector("a");
      const key = link && anchored(bar, link.hash.slice(1)).key;
      if (num.dataset.rows) {
        const ids = num.dataset.rows.split(" ");
        const keys = ids.map((id) => anchored(bar, id).key).filter(Boolean);
        if (keys.length) counted.push(keys);
      } else if (key) single.add(key);
    });
    return { el, single: [...single], counted };
  }

  function showSentence(bar, one) {
    const home = bar.isHome();
    one.el.toggleAttribute("hidden", !home);
    if (home) {
      if (one.shown) one.shown.hidden = true;
      return;
    }
    if (!one.shown) {
      one.shown = make(one.el.tagName.toLowerCase(), { class: "view-sentence" });
      one.el.after(one.shown);
    }
    one.shown.hidden = false;
    const text = EXPLORATORY + explained(bar, one);
    if (one.shown.textContent !== text) one.shown.textContent = text;
  }

  function explained({ data, view }, { single, counted }) {
    const { a, b } = view;
    if (a.why) return `${a.label}: ${a.why}.`;
    const among = `among ${sized(a)}${b ? `, beside ${lower(sized(b))}` : ""}`;
    const unit = (key) => data.cube.keys[data.keys.get(key)].unit;
    const paths = (keys) => keys.every((key) => !data.keys.has(key) || unit(key) === PATH);
    const first = counted.slice(0, 1).filter(paths);
    const counts = first.map((keys) => tallied(view, keys));
    const results = single.map((key) => `${resultLabel(data, key)} ${compared(view, key)}`);
    return `${among}: ${counts.concat(results).join(". ")}.`;
  }

  function tallied({ a, b }, keys) {
    const clear = (group) => {
      const cells = keys.map((key) => group.cell(key)).filter((cell) => cell && cell.shown);
      return `${cells.filter((cell) => cell.low > 0 || cell.high < 0).length} of ${cells.length}`;
    };
    return `${clear(a)} estimates are clear of zero${b ? ` (${clear(b)} beside)` : ""}`;
  }

  function compared(view, key) {
    const { a, b } = view;
    const test = difference(view, key);
    return told(a, key) + (b ? `, beside ${told(b, key)}` : "") + (test ? `; ${test}` : "");
  }

  Object.assign(globalThis.lwoFilter, { anchored, computedSentences, showSentence });
})();
