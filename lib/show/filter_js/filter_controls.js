/* Controls: the levels chosen, as a value and as what the lists of the bar show. */
(function () {
  "use strict";
  const { $$, make } = globalThis.lwoFilter;
  const LATENT =
    "Models with a latent variable need more students; " +
    "where a subgroup has too few for one, the figure says so.";

  const options = (select) => Array.from(select.options);

  const columnsOf = (value) => Object.keys(value).filter((name) => name !== "vs");

  // of a value from elsewhere, the levels that the lists offer
  function tidy({ columns, selects }, given) {
    const offered = (name) => options(selects[name]).some((option) => option.value === given[name]);
    const kept = columns.filter((name) => given[name] && offered(name)).map((name) => [name, given[name]]);
    return Object.fromEntries(given.vs ? [...kept, ["vs", given.vs]] : kept);
  }

  function chosen({ columns, selects }) {
    const names = [...columns, "vs"].filter((name) => selects[name].value);
    return Object.fromEntries(names.map((name) => [name, selects[name].value]));
  }

  function showValue(bar) {
    const { columns, data, selects, value } = bar;
    columns.forEach((name) => (selects[name].value = value[name] || ""));
    if (data) {
      listLevels(data, selects.vs, value);
      if (value.vs && !options(selects.vs).some((option) => option.value === value.vs)) delete value.vs;
    }
    selects.vs.value = value.vs || "";
  }

  // the students chosen can be compared with those of another level of a column chosen
  function listLevels(data, select, value) {
    const chosen = columnsOf(value);
    $$("option[data-level]", select).forEach((option) => option.remove());
    chosen.forEach((name) => {
      const { labels, values } = data.column(name);
      values.forEach((level, i) => {
        if (!level || level === value[name]) return;
        const shared = chosen.filter((other) => data.column(other).values.includes(level)).length > 1;
        const full = shared ? `${name}.${level}` : level;
        select.append(make("option", { value: full, "data-level": "" }, labels[i]));
      });
    });
  }

  // an option that would show nothing says so
  function markOptions({ columns, data, selects, value }) {
    columns.forEach((name) =>
      options(selects[name]).forEach((option) => {
        const { place, why } = data.reason(data.clean({ ...value, [name]: option.value }));
        if (!option.dataset.label) option.dataset.label = option.textContent;
        const text = option.dataset.label + (place < 0 ? ` (${why.replace(/:.*/, "")})` : "");
        if (option.textContent !== text) option.textContent = text;
      }),
    );
  }

  function listHidden({ data, form }) {
    const box = form.querySelector("details.unshown");
    if (!box) return;
    const { dims, hidden, words } = data.cube;
    const label = (code) => {
      const labels = dims.map((dim, i) => (code[i] ? dim.labels[code[i]] : ""));
      return labels.filter(Boolean).join(", ");
    };
    const list = make("ul", {}, ...hidden.map((code) => make("li", {}, label(code))));
    const other = `Any other combination that the lists offer and that is missing here is ${words.few}.`;
    const texts = [`${hidden.length} subgroups are ${words.hidden}:`, `${other} ${LATENT}`];
    const [before, after] = texts.map((text) => make("p", {}, text));
    box.querySelector("div").replaceChildren(before, list, after);
  }

  Object.assign(globalThis.lwoFilter, { tidy, chosen, showValue, markOptions, listHidden });
})();
