/* The cube: states of students by their codes, results by place and key. */
(function () {
  "use strict";
  const { COUNTED } = globalThis.lwoFilter;

  function read(cube) {
    const index = indexed(cube);
    return {
      cube,
      keys: index.keys,
      beside: new Set(cube.beside),
      cell: (part, place, key) => cellOf(index, part, place, key),
      gap: (place, other, key) => gapOf(index, place, other, key),
      column: (name) => columnOf(cube, name),
      clean: (given) => cleaned(cube, given),
      label: (chosen) => labelOf(cube, chosen),
      reason: (chosen) => placed(index, chosen),
      style: (chosen) => styleOf(cube, chosen),
      family: (place, rest, key) => familySize(index, place, rest, key),
      ofGroups: cube.keys.filter((entry, key) => isOwn(index, key) && entry.unit !== COUNTED),
    };
  }

  function indexed(cube) {
    const names = cube.dims.map((dim) => dim.name);
    const states = new Map();
    for (let place = 0; place < cube.cube.n.length; place++)
      states.set(names.map((name) => cube.cube[name][place]).join(), place);
    return {
      cube,
      names,
      states,
      pairs: new Map(cube.pairs.map(([place, other], i) => [`${place},${other}`, i])),
      keys: new Map(cube.keys.map((entry, i) => [entry.key, i])),
      hidden: new Set(cube.hidden.map((code) => code.join())),
      parts: { own: cube.own.map(block), rest: cube.rest.map(block), gap: cube.gap.map(block) },
      families: new Map(),
    };
  }

  // the results of one family: a row for each place, a column for each key
  const block = (series) => ({
    series,
    width: series.keys.length,
    row: new Map(series.places.map((place, i) => [place, i])),
    column: new Map(series.keys.map((key, i) => [key, i])),
  });

  const blockOf = (index, part, key) => index.parts[part][index.cube.keys[key].family];

  // whether a result is one of a group: others are of differences alone
  const isOwn = (index, key) => blockOf(index, "own", key).column.has(key);

  function cellOf(index, part, place, name) {
    const { cube } = index;
    const key = index.keys.get(name);
    if (key === undefined || (part !== "gap" && !isOwn(index, key))) return null;
    const { series, width, row, column } = blockOf(index, part, key);
    const held = row.has(place) && column.has(key);
    const at = held ? row.get(place) * width + column.get(key) : -1;
    const get = (what) => (held && series[what] ? series[what][at] : null);
    const reason = held ? series.why[at] : 0;
    const [estimate, below] = [get("estimate"), get("below")];
    const end = (distance) => (below === null ? null : estimate + distance);
    return {
      unit: cube.keys[key].unit,
      label: cube.keys[key].label,
      estimate,
      low: end(-below),
      high: end(below + get("skew")),
      n: get("n_obs"),
      p: get("p_value"),
      adjusted: get("p_bh"),
      why: reason === null ? "" : cube.reasons[reason],
      shown: estimate !== null,
      ofSmallness: / equivalence\|/.test(name), // whether p speaks against a large difference
    };
  }

  // a difference is held for one order of its two places; the other order turns its sign
  function gapOf(index, place, other, name) {
    const key = index.keys.get(name);
    const flipped = !index.pairs.has(`${place},${other}`);
    const pair = index.pairs.get(flipped ? `${other},${place}` : `${place},${other}`);
    if (pair === undefined || key === undefined || !blockOf(index, "gap", key).column.has(key)) return null;
    const found = cellOf(index, "gap", pair, name);
    if (!flipped || !found.shown) return found;
    const turned = (end) => (end === null ? null : -end);
    return Object.assign(found, {
      estimate: -found.estimate,
      low: turned(found.high),
      high: turned(found.low),
    });
  }

  const columnOf = (cube, name) => cube.dims.find((dim) => dim.name === name);

  const levelLabel = (dim, level) => dim.labels[dim.values.indexOf(level)];

  function cleaned(cube, given) {
    const levels = cube.dims.map((dim) => [dim.name, given[dim.name]]);
    return Object.fromEntries(
      levels.filter(([name, level]) => level && columnOf(cube, name).values.includes(level)),
    );
  }

  function labelOf(cube, chosen) {
    const picked = cube.dims.filter((dim) => chosen[dim.name]);
    return picked.map((dim) => levelLabel(dim, chosen[dim.name])).join(", ") || cube.words.everyone;
  }

  // the place of the students chosen, or -1 and why they have none
  function placed(index, chosen) {
    const { cube, names } = index;
    const code = names
      .map((name) => (chosen[name] ? columnOf(cube, name).values.indexOf(chosen[name]) : 0))
      .join();
    if (index.states.has(code)) return { place: index.states.get(code), why: "" };
    if (index.hidden.has(code)) return { place: -1, why: cube.words.hidden };
    return { place: -1, why: uncombined(cube, Object.keys(chosen)) || cube.words.few };
  }

  function uncombined(cube, picked) {
    const alone = picked.filter((name) => cube.alone[name]);
    const partners = alone.length ? cube.alone[alone[0]] : picked;
    const fitting = picked.every((name) => name === alone[0] || partners.includes(name));
    if (alone.length > 1 || !fitting) {
      const labels = partners.map((name) => columnOf(cube, name).label.toLowerCase());
      const label = columnOf(cube, alone[0]).label;
      return `not combined: ${label} is offered alone or with ${labels.join(" or ")}`;
    }
    return picked.length > cube.most ? `not combined: at most ${cube.most} filters at a time` : "";
  }

  function styleOf(cube, chosen) {
    const within = (levels) =>
      Object.keys(levels).every(
        (name) => chosen[name] && chosen[name].split("+").every((level) => levels[name].includes(level)),
      );
    if (within(cube.styles.focal)) return "black";
    if (within(cube.styles.reference)) return "white";
    return Object.keys(chosen).length ? "third" : "all";
  }

  // how many p-values were adjusted together: those of pairs that combine the same columns
  function familySize(index, place, rest, name) {
    const { cube, families } = index;
    const key = index.keys.get(name);
    const id = columnsUsed(index, place) + rest + cube.keys[key].family;
    if (!families.has(id)) families.set(id, countTests(index, place, rest, key));
    return families.get(id);
  }

  function countTests(index, place, rest, key) {
    const { series, width, row } = blockOf(index, "gap", key);
    const columns = columnsUsed(index, place);
    let tests = 0;
    index.cube.pairs.forEach(([first, second], pair) => {
      const withRest = second < 0;
      if (columnsUsed(index, first) !== columns || withRest !== rest || !row.has(pair)) return;
      const start = row.get(pair) * width;
      tests += series.p_value.slice(start, start + width).filter((p) => p !== null).length;
    });
    return tests;
  }

  const columnsUsed = ({ cube, names }, place) =>
    names.map((name) => (cube.cube[name][place] ? "1" : "0")).join("");

  Object.assign(globalThis.lwoFilter, { read });
})();
