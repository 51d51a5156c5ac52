/* The page: every bar on it with its cube and its part of the address. */
(function () {
  "use strict";
  const lwo = globalThis.lwoFilter;
  const { $$, attach, fromAddress, make, remember, settings, toAddress, whenRead } = lwo;
  const loading = new Map();

  // a classic script: it loads from file:// too
  function fetchCube(give) {
    const inline = give.inline && document.getElementById(give.inline);
    if (inline) return Promise.resolve(JSON.parse(inline.textContent));
    if (!loading.has(give.src))
      loading.set(give.src, new Promise((done, fail) => loadScript(give, done, fail)));
    return loading.get(give.src);
  }

  function loadScript({ cube: name, src }, done, fail) {
    const el = make("script", { src });
    el.onload = () => {
      const cube = (globalThis.lwoCubes || {})[name];
      if (cube) done(cube);
      else fail(new Error(src));
    };
    el.onerror = () => {
      loading.delete(src);
      fail(new Error(src));
    };
    document.head.append(el);
  }

  function start() {
    const bars = [];
    $$("form[data-filter]", document).forEach((form) => bars.push(startBar(form, bars)));
    lwo.bars = bars;
    if (bars.length) lwo.carryToLinks();
  }

  function startBar(form, bars) {
    const give = settings(form);
    const prefix = give.name ? `${give.name}.` : "";
    const scope = form.closest("main") || document.body;
    const address = () => toAddress(form, bar.isHome() ? {} : bar.value, prefix);
    form.classList.add("live");
    const bar = attach(form, scope, give, () => fetchCube(give), { address: () => address().href });
    const restore = () => {
      const { value, any } = fromAddress(form, prefix);
      if (any || !bar.isHome()) bar.whenLoaded(() => bar.set(any ? value : give.home || {}, "address"));
    };
    bar.listen((value, how) => {
      if (how === "shared") return;
      share(bar, bars, value);
      remember(address());
    });
    addEventListener("popstate", restore);
    restore();
    return bar;
  }

  function share(bar, bars, value) {
    const others = bars.filter((other) => other !== bar && other.name === bar.name);
    others.forEach((other) => other.whenLoaded(() => other.set(value, "shared")));
  }

  Object.assign(lwo, { fetchCube });
  if (document.currentScript) whenRead(start);
})();
