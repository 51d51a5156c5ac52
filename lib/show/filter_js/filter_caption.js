/* Captions, keys and alternative texts: what stands around a figure speaks of the students of the view. */
(function () {
  "use strict";
  const { draw, lower, make, SHAPES, sides, sized, told } = globalThis.lwoFilter;
  const EXPLORATORY = "Exploratory: ";
  const SAME = " The same for every view.";

  const headline = ({ a, b }) => EXPLORATORY + a.label + (b ? ` beside ${lower(b.label)}` : "");

  function people({ a, b }) {
    if (a.why) return `${a.label}: ${a.why}.`;
    return `${sized(a)}${b ? ` beside ${lower(sized(b))}` : ""}.`;
  }

  function alternative(view, plot) {
    const lines = plot.lines.map(([label, , key]) => {
      const groups = sides(view).filter((group) => group.cell(key));
      return `${label}: ${groups.map((group) => `${group.label} ${told(group, key)}`).join("; ")}`;
    });
    const people = sides(view).map(sized).join(" and ");
    return { title: headline(view), text: `${people}. ${lines.join(". ")}.` };
  }

  // without a plot the chapter's own come back
  function showCaption(bar, frame, plot) {
    const view = plot ? bar.view : null;
    const caption = frame.querySelector("figcaption");
    if (caption) {
      showTitle(caption, view);
      showPeople(bar, caption, view);
    }
    showKey(frame, view, plot);
  }

  // a table keeps its title and says below it whom it shows, unless the title names the students of the page
  function showTableCaption(bar, frame) {
    const caption = frame.querySelector("figcaption");
    if (!caption) return;
    const view = bar.isHome() ? null : bar.view;
    const own = ownTitle(caption);
    const named = !own || (bar.give.people || []).some((who) => own.textContent.includes(who));
    if (named) showTitle(caption, view);
    else showBelow(caption, own, view);
    showPeople(bar, caption, view);
  }

  function showBelow(caption, own, view) {
    const said = caption.querySelector(".view-people") || make("span", { class: "view-people" });
    if (!said.isConnected) own.after(said);
    said.textContent = view ? EXPLORATORY + people(view) : "";
  }

  // what is about others than students says so
  function showSame(bar, frame) {
    const caption = frame.querySelector("figcaption");
    if (!caption) return;
    const said = caption.querySelector(".view-same");
    if (bar.isHome() && said) said.remove();
    if (!bar.isHome() && !said) caption.append(make("span", { class: "view-same" }, SAME));
  }

  const ownTitle = (caption) => caption.querySelector("strong:not(.view-title *)");

  function showTitle(caption, view) {
    const own = ownTitle(caption);
    let title = caption.querySelector(".view-title");
    if (view && !title) {
      title = make("span", { class: "view-title" }, make("strong", {}), make("span", {}));
      caption.prepend(title);
    }
    if (title) title.hidden = !view;
    if (view) {
      title.firstChild.textContent = headline(view);
      title.lastChild.textContent = people(view) + " ";
    }
    if (own) own.toggleAttribute("hidden", Boolean(view));
  }

  // the caption's own people give way to the view's
  function showPeople(bar, caption, view) {
    if (!bar.captions.has(caption)) {
      const nodes = Array.from(caption.childNodes).filter((node) => node.nodeType === Node.TEXT_NODE);
      const texts = nodes.map((node) => [node, node.data]);
      bar.captions.set(caption, texts);
    }
    bar.captions.get(caption).forEach(([node, own]) => {
      node.data = view ? own.slice(0, peopleAt(own, bar.give.people || [])) : own;
    });
  }

  // where a caption names its people: at its end, one group or several, mostly with their n
  function peopleAt(text, people) {
    const named = [people.join(" and "), people.join("; "), ...people].filter(Boolean);
    const found = named
      .map((who) => text.lastIndexOf(who))
      .filter((at, i) => {
        return at >= 0 && /^(, n[^]*)?\.?\s*$/.test(text.slice(at + named[i].length));
      });
    return found.length ? Math.min(...found) : text.length;
  }

  function showKey(frame, view, plot) {
    const own = frame.querySelector("ul.key:not(.view)");
    const shown = frame.querySelector("ul.key.view");
    if (own) own.toggleAttribute("hidden", Boolean(view));
    if (shown) shown.remove();
    if (!view || !own) return;
    const groups = sides(view).map((group) => {
      const words = make("span", {}, sized(group) + absent(group, plot));
      return make("li", { class: group.style }, glyph(group.style), words);
    });
    const marks = plot.kind === "pair" ? "hollow: before, filled: after" : "line: interval";
    own.after(make("ul", { class: "key view" }, ...groups, make("li", {}, marks)));
  }

  // one reason for all lines is said once, in the key
  function absent(group, plot) {
    const cells = plot.keys.map((key) => group.cell(key)).filter(Boolean);
    const reasons = new Set(cells.map((cell) => (cell.shown ? "" : cell.why)));
    return cells.length && reasons.size === 1 && !cells[0].shown ? `: ${cells[0].why}` : "";
  }

  function glyph(style) {
    const box = { viewBox: "-14 -8 28 16", width: 28, height: 16, "aria-hidden": "true", focusable: "false" };
    const fill = `var(--g-${style})`;
    return draw("svg", box, draw("path", { d: SHAPES[style], class: `m ${style}`, fill }));
  }

  const captions = { EXPLORATORY, headline, people, alternative, showCaption, showTableCaption, showSame };
  Object.assign(globalThis.lwoFilter, captions);
})();
