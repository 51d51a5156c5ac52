/* The address: ?race=black&school=2&vs=white, with a name before each where a page has several filters. */
(function () {
  "use strict";
  const { $$ } = globalThis.lwoFilter;

  const short = (name, level) => (level.startsWith(`${name}_`) ? level.slice(name.length + 1) : level);

  function fromAddress(form, prefix) {
    const query = new URLSearchParams(location.search);
    const said = $$("select", form).filter((el) => query.has(prefix + el.name));
    const levels = said.map((el) => [el.name, levelOf(el, query.get(prefix + el.name))]);
    const value = Object.fromEntries(levels.filter(([, level]) => level !== undefined));
    return { value, any: said.length > 0 };
  }

  function levelOf(select, said) {
    if (select.name === "vs") return said;
    const full = Array.from(select.options, (option) => option.value).filter(Boolean);
    return full.find((level) => level === said || short(select.name, level) === said);
  }

  function toAddress(form, value, prefix) {
    const url = new URL(location.href);
    $$("select", form).forEach(({ name }) => {
      if (value[name]) url.searchParams.set(prefix + name, short(name, value[name]));
      else url.searchParams.delete(prefix + name);
    });
    return url;
  }

  function remember(url) {
    try {
      if (url.href !== location.href) history.pushState(null, "", url);
    } catch (error) {
      // a sandboxed frame
    }
  }

  // links to other chapters keep the view
  function carryToLinks() {
    const carry = ({ target }) => {
      const link = target.closest && target.closest("a[href]");
      if (link && leadsToChapter(link)) link.search = location.search;
    };
    for (const name of ["click", "auxclick", "pointerdown", "focusin"])
      document.addEventListener(name, carry, true);
  }

  function leadsToChapter(link) {
    const here = link.protocol === location.protocol && link.host === location.host;
    return here && /\.html$|\/$/.test(link.pathname) && link.pathname !== location.pathname;
  }

  Object.assign(globalThis.lwoFilter, { fromAddress, toAddress, remember, carryToLinks });
})();
