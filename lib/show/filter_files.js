/* Downloads of a view: CSV, SVG and PNG; each says whom it shows, how many, when and from which data. */
(function () {
  "use strict";
  const F = globalThis.lwoFilter, { make, draw, $$ } = F;
  const LOOK = ["fill", "stroke", "stroke-width", "stroke-opacity", "font-family", "font-size", "font-weight"];

  function save(text, type, name) {
    const url = URL.createObjectURL(text instanceof Blob ? text : new Blob([text], { type }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 2000);
  }
  const source = (data) => data.cube.study + (data.cube.synthetic ? ". Synthetic data" : "") + ". " + data.cube.date + ". Data " + data.cube.data.slice(0, 12);

  function csv({ slug, view, data, rows }) {
    const quote = (v) => v === null || v === undefined ? "" : /[",\n]/.test(v) ? '"' + String(v).replaceAll('"', '""') + '"' : String(v);
    const safe = (text) => /^[=+@\t]/.test(text) ? "'" + text : text;   // a label that a spreadsheet would run
    const dot = (v) => v === null ? "" : (v / 1000).toFixed(3);
    const head = ["population", "result", "label", "unit", "estimate", "conf_low", "conf_high", "n", "note", "difference", "p_value", "p_bh", "date", "data"];
    const lines = rows.map(({ g, key, c }) => {
      const gap = g === view.a ? view.gap(key) : null, test = gap && gap.shown ? [dot(gap.estimate), dot(gap.p), dot(gap.adjusted)] : ["", "", ""];
      return [safe(g.label), key, safe(c.label), c.unit, ...(c.shown ? [dot(c.estimate), dot(c.low), dot(c.high), c.n] : ["", "", "", ""]), c.why, ...test, data.cube.date, data.cube.data];
    });
    save([head, ...lines].map((line) => line.map(quote).join()).join("\r\n") + "\r\n", "text/csv", slug + ".csv");
  }

  function standalone(svg, { title, data }) {
    const copy = svg.cloneNode(true), from = [svg, ...$$("*", svg)], to = [copy, ...$$("*", copy)];
    from.forEach((el, i) => {
      const look = getComputedStyle(el);
      if (el.tagName !== "title" && el.tagName !== "desc") LOOK.forEach((name) => { if (look[name]) to[i].setAttribute(name, look[name]); });
    });
    $$("[hidden], .ring", copy).forEach((el) => el.remove());
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number), paper = getComputedStyle(document.documentElement).getPropertyValue("--surface") || "#fff";
    const ink = getComputedStyle(svg).color, lines = wrap([title, source(data)], width / 6.2), tall = height + 10 + 16 * lines.length;
    ["tabindex", "role", "aria-roledescription", "data-plot", "class"].forEach((name) => copy.removeAttribute(name));
    fillBox(copy, width, tall, paper.trim());
    lines.forEach((text, i) => copy.append(draw("text", { x: 0, y: height + 14 + 16 * i, "font-size": 12, fill: ink, "font-family": "sans-serif" }, text)));
    return { text: new XMLSerializer().serializeToString(copy), width, height: tall };
  }
  function fillBox(svg, width, height, paper) {
    svg.setAttribute("viewBox", "-12 -8 " + (width + 24) + " " + (height + 16));
    svg.setAttribute("width", width + 24); svg.setAttribute("height", height + 16);
    const ground = draw("rect", { x: -12, y: -8, width: width + 24, height: height + 16, fill: paper }), first = svg.querySelector(":scope > :not(title):not(desc)");
    svg.insertBefore(ground, first);
  }
  function wrap(texts, letters) {
    return texts.flatMap((text) => text.split(" ").reduce((lines, word) => {
      if (lines.length && (lines.at(-1) + " " + word).length <= letters) lines[lines.length - 1] += " " + word; else lines.push(word);
      return lines;
    }, []));
  }
  function svg(el, give) { save(standalone(el, give).text, "image/svg+xml", give.slug + ".svg"); }
  function png(el, give) {
    const made = standalone(el, give), image = new Image();
    image.onload = () => {
      const canvas = make("canvas", { width: 2 * (made.width + 24), height: 2 * (made.height + 16) });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save(blob, "image/png", give.slug + ".png"));
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(made.text);   // a blob is refused by a page that stands alone
  }
  F.files = { csv, svg, png };
})();
