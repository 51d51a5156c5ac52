/* Numbers in words: the cube holds thousandths, readers see what the report writes. */
(function () {
  "use strict";
  const MINUS = "\u2212";
  const NBSP = "\u00a0";
  const COUNTED = "students"; // the unit of counts, which are not compared

  // ties go to even, as Python rounds
  function number(thousandths, digits) {
    const size = Math.abs(thousandths);
    const steps = size / (1000 / 10 ** digits);
    const tie = size % 125 === 0 && steps % 1 === 0.5;
    const even = Math.floor(steps) + (Math.floor(steps) % 2);
    const text = tie ? (even / 10 ** digits).toFixed(digits) : (size / 1000).toFixed(digits);
    return (thousandths < 0 && Number(text) !== 0 ? MINUS : "") + text;
  }

  function pText(thousandths) {
    if (thousandths < 1) return `<${NBSP}.001`;
    if (thousandths > 999) return `>${NBSP}.999`;
    return `=${NBSP}${(thousandths / 1000).toFixed(3).slice(1)}`;
  }

  const digitsOf = (unit) => (unit === "percent" ? 0 : 2);

  function estimate(cell) {
    if (cell.unit === COUNTED) return count(cell.estimate / 1000);
    return number(cell.estimate, digitsOf(cell.unit)) + (cell.unit === "percent" ? "%" : "");
  }

  function interval(cell, between) {
    if (cell.low === null) return "";
    return number(cell.low, digitsOf(cell.unit)) + between + number(cell.high, digitsOf(cell.unit));
  }

  const value = (cell) => estimate(cell) + (cell.low === null ? "" : ` [${interval(cell, ", ")}]`);

  const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

  const sized = (group) => group.label + (group.n === null ? "" : ` (n${NBSP}=${NBSP}${count(group.n)})`);

  // a label within a sentence; levels are names and stay as the codebook writes them
  const lower = (label) => label.replace(/^(All|Everyone)\b/, (word) => word.toLowerCase());

  Object.assign(globalThis.lwoFilter, {
    NBSP,
    COUNTED,
    number,
    pText,
    estimate,
    interval,
    value,
    count,
    sized,
    lower,
  });
})();
