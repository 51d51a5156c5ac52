/* Ranks that say how sure they are: estimates are pulled toward their mean as far as chance alone would
   spread them (empirical Bayes, DerSimonian & Laird, 1986), ranks have joint intervals (Klein, Wright &
   Wieczorek, 2020). */
(function () {
  "use strict";
  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
  const weightedMean = (weights, groups) =>
    sum(groups.map(({ estimate }, i) => weights[i] * estimate)) / sum(weights);

  // groups: subgroups of one set of columns, each with its estimate and standard error
  function ranked(groups, level) {
    const between = betweenGroups(groups);
    const weights = groups.map(({ error }) => 1 / (error ** 2 + between));
    const mean = weightedMean(weights, groups);
    const ends = jointIntervals(groups, level);
    const found = groups.map((group, i) => ({
      ...group,
      shrunken: mean + ((group.estimate - mean) * between) / (between + group.error ** 2),
      best: 1 + ends.filter(([low]) => low > ends[i][1]).length,
      worst: groups.length - ends.filter(([, high]) => high < ends[i][0]).length,
    }));
    return withRanks(found.sort((a, b) => b.shrunken - a.shrunken || b.estimate - a.estimate));
  }

  // the variance between groups that is more than chance
  function betweenGroups(groups) {
    if (groups.length < 2) return 0;
    const weights = groups.map(({ error }) => 1 / error ** 2);
    const total = sum(weights);
    const centre = weightedMean(weights, groups);
    const spread = sum(groups.map(({ estimate }, i) => weights[i] * (estimate - centre) ** 2));
    const scale = total - sum(weights.map((weight) => weight * weight)) / total;
    return Math.max(0, (spread - (groups.length - 1)) / scale);
  }

  function jointIntervals(groups, level) {
    const each = level ** (1 / Math.max(groups.length, 1));
    const z = quantile(1 - (1 - each) / 2);
    return groups.map(({ estimate, error }) => [estimate - z * error, estimate + z * error]);
  }

  // equals share a rank
  function withRanks(sorted) {
    return sorted.map((group) => {
      const first = sorted.findIndex((other) => other.shrunken - group.shrunken < 1e-9);
      return { ...group, rank: 1 + first };
    });
  }

  // of the normal distribution, by Newton from Hastings' start
  function quantile(p) {
    const t = Math.sqrt(-2 * Math.log(1 - p));
    const over = 2.515517 + 0.802853 * t + 0.010328 * t * t;
    const under = 1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t ** 3;
    let x = t - over / under;
    for (let i = 0; i < 4; i++) x -= (below(x) - p) / (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI));
    return x;
  }

  // of the normal distribution, by Marsaglia (2004)
  function below(x) {
    let total = x;
    let term = x;
    for (let i = 3; Math.abs(term) > 1e-16; i += 2) {
      term *= (x * x) / i;
      total += term;
    }
    return 0.5 + total * Math.exp((-x * x) / 2 - 0.91893853320467274178);
  }

  Object.assign(globalThis.lwoFilter, { ranked });
})();
