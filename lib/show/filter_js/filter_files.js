/* Downloads of a view: CSV, SVG and PNG; each says whom it shows, how many, when and from which data. */
(function () {
  "use strict";
  const { make, draw, $$ } = globalThis.lwoFilter;
  const LOOK = [
    "fill",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "font-family",
    "font-size",
    "font-weight",
  ];
  const PAGE_ONLY = ["tabindex", "role", "aria-roledescription", "data-plot", "class"];
  const HEAD =
    "population result label unit estimate conf_low conf_high n note difference p_value p_bh date data";

  function save(content, type, name) {
    const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 2000);
  }

  function source({ cube }) {
    const synthetic = cube.synthetic ? ". Synthetic data" : "";
    return `${cube.study}${synthetic}. ${cube.date}. Data ${cube.data.slice(0, 12)}`;
  }

  function quoted(field) {
    if (field === null || field === undefined) return "";
    return /[",\n]/.test(field) ? `"${String(field).replaceAll('"', '""')}"` : String(field);
  }

  // a label that a spreadsheet would run
  const safe = (label) => (/^[=+@\t]/.test(label) ? "'" + label : label);

  const decimal = (thousandths) => (thousandths === null ? "" : (thousandths / 1000).toFixed(3));

  function csv({ slug, view, data, rows }) {
    const { date, data: hash } = data.cube;
    const lines = rows.map(({ group, key, cell }) => {
      const numbers = cell.shown ? [cell.estimate, cell.low, cell.high].map(decimal) : ["", "", ""];
      const gap = group === view.a ? view.gap(key) : null;
      const test = gap && gap.shown ? [gap.estimate, gap.p, gap.adjusted].map(decimal) : ["", "", ""];
      const result = [key, safe(cell.label), cell.unit, ...numbers, cell.shown ? cell.n : "", cell.why];
      return [safe(group.label), ...result, ...test, date, hash];
    });
    const text = [HEAD.split(" "), ...lines].map((line) => line.map(quoted).join()).join("\r\n") + "\r\n";
    save(text, "text/csv", slug + ".csv");
  }

  // a drawing that needs no page: looks as computed, paper, and whom and what it shows below it
  function standalone(svg, { title, data }) {
    const copy = svg.cloneNode(true);
    copyLook(svg, copy);
    $$("[hidden], .ring", copy).forEach((el) => el.remove());
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const paper = getComputedStyle(document.documentElement).getPropertyValue("--surface") || "#fff";
    const ink = getComputedStyle(svg).color;
    const lines = wrapped([title, source(data)], width / 6.2);
    const tall = height + 10 + 16 * lines.length;
    PAGE_ONLY.forEach((name) => copy.removeAttribute(name));
    fillBox(copy, width, tall, paper.trim());
    lines.forEach((text, i) => {
      const place = { x: 0, y: height + 14 + 16 * i };
      copy.append(draw("text", { ...place, "font-size": 12, fill: ink, "font-family": "sans-serif" }, text));
    });
    return { text: new XMLSerializer().serializeToString(copy), width, height: tall };
  }

  function copyLook(svg, copy) {
    const targets = [copy, ...$$("*", copy)];
    [svg, ...$$("*", svg)].forEach((el, i) => {
      if (el.tagName === "title" || el.tagName === "desc") return;
      const look = getComputedStyle(el);
      LOOK.filter((name) => look[name]).forEach((name) => targets[i].setAttribute(name, look[name]));
    });
  }

  function fillBox(svg, width, height, paper) {
    const size = { width: width + 24, height: height + 16 };
    svg.setAttribute("viewBox", `-12 -8 ${size.width} ${size.height}`);
    svg.setAttribute("width", size.width);
    svg.setAttribute("height", size.height);
    const first = svg.querySelector(":scope > :not(title):not(desc)");
    svg.insertBefore(draw("rect", { x: -12, y: -8, ...size, fill: paper }), first);
  }

  function wrapped(texts, letters) {
    return texts.flatMap((text) =>
      text.split(" ").reduce((lines, word) => {
        const longer = `${lines.at(-1)} ${word}`;
        if (lines.length && longer.length <= letters) lines[lines.length - 1] = longer;
        else lines.push(word);
        return lines;
      }, []),
    );
  }

  function svg(el, content) {
    save(standalone(el, content).text, "image/svg+xml", content.slug + ".svg");
  }

  function png(el, content) {
    const made = standalone(el, content);
    const image = new Image();
    image.onload = () => {
      const canvas = make("canvas", { width: 2 * (made.width + 24), height: 2 * (made.height + 16) });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save(blob, "image/png", content.slug + ".png"));
    };
    // a blob is refused by a page that stands alone
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(made.text);
  }

  Object.assign(globalThis.lwoFilter, { files: { csv, svg, png } });
})();
