/* The status line of the bar: whom the page shows now, and what did not work. */
(function () {
  "use strict";
  const { lower, make, people } = globalThis.lwoFilter;
  const NOBODY = " There is nobody to compare with.";

  // those whom the chapter's own figures show
  function ownPeople({ give, home }) {
    return Object.keys(home).length && give.who ? give.who : lower(give.who || "all students");
  }

  function announce(bar) {
    const text = bar.isHome() ? bar.opening : ofView(bar);
    if (bar.output.textContent !== text) bar.output.textContent = text;
  }

  function ofView(bar) {
    const { a, b } = bar.view;
    const lonely = !a.why && !b && bar.value.vs !== "none";
    const rest = `What neither says \u201cExploratory\u201d nor names a group stays about ${ownPeople(bar)}.`;
    return `${people(bar.view)}${lonely ? NOBODY : ""} ${rest}`;
  }

  function announceFailure(bar) {
    const still = `Figures, tables and sentences show ${ownPeople(bar)}.`;
    bar.output.textContent = `The results by subgroup could not be loaded. ${still}`;
  }

  function copyLink(bar) {
    const address = bar.address();
    const copied = (done) => {
      bar.output.textContent = `The link to this view${done ? " is copied." : `: ${address}`}`;
    };
    const fallback = () => copied(copyFromBox(address));
    if (navigator.clipboard) navigator.clipboard.writeText(address).then(() => copied(true), fallback);
    else fallback();
  }

  // for a page that is not served over https, where there is no clipboard to write to
  function copyFromBox(text) {
    const box = make("textarea", {});
    box.value = text;
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    return done;
  }

  Object.assign(globalThis.lwoFilter, { announce, announceFailure, copyLink });
})();
