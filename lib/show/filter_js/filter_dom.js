/* Elements: found, made, drawn.

   First of the scripts of the subgroup filter: one bar moves the figures, tables and computed sentences
   around it. The same text runs in a page, where it reads a cube of results, and in JupyterLab and Notebook,
   as an anywidget. Drawings are the page's own inline SVG: what a view shows is drawn on the same axis in
   place of the chapter's marks, which come back unchanged. No library, no eval, no markup from data: every
   label is set as text. */
(function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";

  const $$ = (selector, el) => Array.from(el.querySelectorAll(selector));
  const make = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes, ...children) =>
    fill(document.createElementNS(SVG, tag), attributes, children);

  function fill(el, attributes, children) {
    for (const name in attributes) if (attributes[name] !== null) el.setAttribute(name, attributes[name]);
    el.append(...children);
    return el;
  }

  const settings = (el) => JSON.parse(el.querySelector("script[type='application/json']").textContent);

  function whenRead(act) {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", act);
    else act();
  }

  globalThis.lwoFilter = { $$, make, draw, settings, whenRead };
})();
