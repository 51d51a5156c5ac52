/* Computed sentences: each says, of the results it quotes, what the view says of them. */
(function () {
  "use strict";
  const { $$, clearOf, difference, EXPLORATORY, isKnown, lower, make, NOT_COMPUTED } = globalThis.lwoFilter;
  const { OF_INTEREST } = globalThis.lwoFilter;
  const { placeOf, resultLabel, saidAt, sized, told } = globalThis.lwoFilter;
  const PATH = "SD per SD";
  const KINDS = { [PATH]: " of paths", points: " of means", percent: " of shares" };
  const NOT_PROSE = "figure, table, form, aside, .plate, .callout";

  function computedSentences(bar) {
    return $$("p, li", bar.scope)
      .filter((el) => !el.closest(NOT_PROSE))
      .map((el) => quotes(bar, el))
      .filter(({ places }) => places.some(({ side }) => side !== "same"))
      .map((one) => ({ ...one, shown: null }));
  }

  // the results that a sentence quotes one by one, and those it counts
  function quotes(bar, el) {
    const single = new Map();
    const counted = [];
    $$("data.num", el).forEach((num) => {
      const link = num.querySelector("a");
      if (num.dataset.rows) counted.push(num.dataset.rows.split(" ").map((id) => placeOf(bar, id)));
      else if (link) single.set(link.hash.slice(1), placeOf(bar, link.hash.slice(1)));
    });
    const known = (places) => places.filter((place) => isKnown(bar, place));
    return {
      el,
      places: [...single.values(), ...counted.flat()],
      single: once(known([...single.values()])),
      counted: counted.map(known).filter((places) => places.length),
    };
  }

  // a sentence that quotes a result of both groups says it once
  function once(places) {
    const named = new Map(places.map((place) => [place.key + JSON.stringify([place.of, place.less]), place]));
    return [...named.values()];
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

  function explained(bar, { single, counted }) {
    const { data, view } = bar;
    const { a, b } = view;
    if (a.why) return `${a.label}: ${a.why}.`;
    const among = `among ${sized(a)}${b ? `, beside ${lower(sized(b))}` : ""}`;
    const counts = counted.map((places) => tallied(bar, places)).filter(Boolean);
    const results = single.map((place) => resultLabel(data, place.key) + compared(bar, place));
    const said = [...new Set([...counts, ...results])];
    return `${among}: ${said.length ? said.join(". ") : NOT_COMPUTED}.`;
  }

  // differences count when they are clear after correction, paths when their interval is clear of zero
  function tallied(bar, places) {
    const { a, b } = bar.view;
    const unit = ({ key }) => bar.data.cube.keys[bar.data.keys.get(key)].unit;
    if (places.every(({ side, less }) => side === "gap" || less)) {
      const [clear, shown] = clearOf(bar, places);
      if (/ equivalence\|/.test(places[0].key))
        return `${clear} of ${shown} differences are shown to be ${OF_INTEREST}`;
      return `${clear} of ${shown} differences${KINDS[unit(places[0])] || ""} are clear after correction`;
    }
    if (!places.every((place) => unit(place) === PATH)) return "";
    const clear = (group) => {
      const cells = places.map(({ key }) => group.cell(key)).filter((cell) => cell && cell.shown);
      return `${cells.filter((cell) => cell.low > 0 || cell.high < 0).length} of ${cells.length}`;
    };
    return `${clear(a)} estimates are clear of zero${b ? ` (${clear(b)} beside)` : ""}`;
  }

  function compared(bar, place) {
    const { a, b } = bar.view;
    if (place.side === "part" || !a.cell(place.key)) return `: ${saidAt(bar, place).join("; ")}`;
    const test = difference(bar.view, place.key);
    return ` ${told(a, place.key)}` + (b ? `, beside ${told(b, place.key)}` : "") + (test ? `; ${test}` : "");
  }

  Object.assign(globalThis.lwoFilter, { computedSentences, showSentence });
})();
