/* The anywidget: the bar of a live notebook, whose value the kernel shares. */
(function () {
  "use strict";
  const { attach, make, settings } = globalThis.lwoFilter;

  function render({ model, el }) {
    const box = make("div", { class: "lwo-filter" });
    box.innerHTML = model.get("html"); // made by lib.show from released rows, its labels escaped
    el.append(box);
    const form = box.querySelector("form");
    form.classList.add("live");
    const load = () => Promise.resolve(model.get("cube"));
    const bar = attach(form, box, settings(form), load, { board: box.querySelector(".board") });
    const take = () => bar.need().then(() => bar.set(model.get("value") || {}, "address"));
    bar.listen((value) => {
      model.set("value", { ...value });
      model.save_changes();
    });
    model.on("change:value", take);
    take();
    return () => model.off("change:value", take);
  }

  Object.assign(globalThis.lwoFilter, { render });
})();
