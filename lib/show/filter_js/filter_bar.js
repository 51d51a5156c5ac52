/* The bar: native controls whose change moves everything around them. */
(function () {
  "use strict";
  const lwo = globalThis.lwoFilter;
  const { $$, announce, chosen, figure, make, prepare, redraw, resultTable, showValue, tidy, viewContent } =
    lwo;
  const alike = (value, other) => JSON.stringify(value) === JSON.stringify(other);

  // form: the bar; scope: what it moves; give: what the page tells {name, home, places, people, who};
  // load: gives a promise of the cube; hooks: {address, board}
  function attach(form, scope, give, load, hooks) {
    const bar = closed(form, scope, give, hooks || {});
    const need = () =>
      load().then(
        (cube) => open(bar, cube),
        () => refuse(bar),
      );
    const set = (value, how) => change(bar, value, how);
    const whenLoaded = (act) => need().then(act, () => {}); // the status line says what failed
    listen(bar, set, whenLoaded);
    listenToFigures(bar);
    const early = chosen(bar); // what a reader chose before this script ran
    showValue(bar);
    if (!alike(tidy(bar, early), tidy(bar, bar.home))) whenLoaded(() => set(early, "reader"));
    return {
      get value() {
        return bar.value;
      },
      get view() {
        return bar.view;
      },
      form,
      name: give.name,
      need,
      whenLoaded,
      set,
      isHome: bar.isHome,
      settle: () => lwo.settle(bar),
      listen: (listener) => bar.listeners.push(listener),
    };
  }

  // a bar before the cube is there
  function closed(form, scope, give, hooks) {
    const selects = Object.fromEntries($$("select", form).map((el) => [el.name, el]));
    const output = form.querySelector("output");
    const home = give.home || {};
    const bar = {
      form,
      scope,
      give,
      hooks,
      selects,
      output,
      home,
      columns: Object.keys(selects).filter((name) => name !== "vs"),
      opening: output.textContent,
      value: { ...home },
      data: null,
      view: null,
      plots: null,
      frames: null,
      sentences: null,
      tables: null,
      still: null,
      captions: new Map(),
      inView: new Set(),
      listeners: [],
      late: [],
      timer: null,
      address: () => (hooks.address ? hooks.address() : ""),
    };
    bar.isHome = () => alike(bar.value, tidy(bar, home));
    // drawn: the chapter has no figure of its own
    bar.showsOwn = () => bar.isHome() && !give.drawn;
    return bar;
  }

  function open(bar, cube) {
    if (!bar.data) {
      bar.data = lwo.read(cube);
      bar.form.dataset.ready = "";
      lwo.listHidden(bar);
      setTimeout(() => prepare(bar)); // before a reader's first choice
    }
    return bar.data;
  }

  function refuse(bar) {
    lwo.announceFailure(bar);
    throw new Error("no cube");
  }

  // how: by a reader, from the address, or shared by another bar of the same name
  function change(bar, value, how) {
    const before = bar.value;
    bar.value = tidy(bar, value);
    if (how !== "address" && !alike(before, bar.value))
      bar.listeners.forEach((listener) => listener(bar.value, how));
    if (bar.data) refresh(bar);
    else showValue(bar);
  }

  function refresh(bar) {
    bar.view = lwo.look(bar.data, bar.value);
    showValue(bar);
    prepare(bar);
    redraw(bar);
    const { board } = bar.hooks;
    if (board) board.replaceChildren(resultTable(bar, lwo.mainKeys(bar.data.cube)));
    announce(bar);
  }

  function listen(bar, set, whenLoaded) {
    const { form } = bar;
    form.addEventListener("change", () => whenLoaded(() => set(chosen(bar), "reader")));
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      whenLoaded(() => set({ ...bar.home }, "reader"));
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const name of ["pointerover", "focusin"])
      form.addEventListener(name, () => whenLoaded(() => {}), { once: true });
    form.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-do]");
      if (!button) return;
      if (button.dataset.do === "link") lwo.copyLink(bar);
      if (button.dataset.do === "csv") whenLoaded(() => saveAll(bar));
    });
  }

  function saveAll(bar) {
    prepare(bar);
    bar.view = lwo.look(bar.data, bar.value);
    const keys = bar.data.cube.keys.map((entry) => entry.key);
    lwo.files.csv(viewContent(bar, keys, null));
  }

  function listenToFigures(bar) {
    const watch = lwo.watcher(bar.inView);
    const speak = make("p", { class: "sr", role: "status" });
    bar.form.append(speak);
    $$("svg[data-plot]", bar.scope).forEach((svg) => {
      watch.observe(svg);
      describe(svg);
      let alone = null; // before the cube is there
      const plot = () =>
        (bar.plots && bar.plots.find((one) => one.svg === svg)) || (alone = alone || figure(svg));
      svg.addEventListener("keydown", (event) => plot().walk(event, (text) => (speak.textContent = text)));
      svg.addEventListener("blur", () => plot().leave());
    });
  }

  function describe(svg) {
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "application");
    svg.setAttribute("aria-roledescription", "chart, arrow keys read the marks");
    const [title, text] = (svg.getAttribute("aria-labelledby") || "").split(" ");
    if (!text) return;
    svg.setAttribute("aria-labelledby", title);
    svg.setAttribute("aria-describedby", text);
  }

  Object.assign(lwo, { attach });
})();
