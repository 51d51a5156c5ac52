# Writes frequencies.json: a sparse table's chi-square, Cramer's V and simulated p-value, and the nested analysis
# of variance of unequal classes within schools, all with base R.
library(jsonlite)
set.seed(11)
cells <- data.frame(subject = rep(c("math", "ela"), each = 5), frequency = rep(1:5, 2), n = c(2, 6, 9, 5, 3, 1, 3, 8, 10, 6))
counts <- xtabs(n ~ subject + frequency, cells)
plain <- suppressWarnings(chisq.test(counts, correct = FALSE))
simulated <- chisq.test(counts, simulate.p.value = TRUE, B = 200000)
value <- c(4, 5, 3, 6, 2, 2, 1, 3, 5, 4, 6, 6, 5, 1, 2, 2, 3, 3, 4, 1, 2, 5, 5, 6, 4, 3, 2, 4)
school <- c(rep("school_1", 13), rep("school_2", 15))
class <- c(rep("a", 4), rep("b", 4), rep("c", 5), rep("d", 5), rep("e", 3), rep("f", 7))
found <- anova(lm(value ~ school + class))
ms <- found[["Mean Sq"]]; f <- ms[2] / ms[3]; df <- found[["Df"]][2:3]
sizes <- tapply(value, class, length); place <- tapply(school, class, `[`, 1)
n0 <- (length(value) - sum(tapply(sizes^2, place, sum) / tapply(sizes, place, sum))) / df[1]
icc <- function(f) (f - 1) / (f - 1 + n0)
write_json(list(
  table = list(cells = unname(lapply(seq_len(nrow(cells)), function(i) list(cells$subject[i], cells$frequency[i], cells$n[i]))), statistic = unname(plain$statistic),
               cramers_v = sqrt(unname(plain$statistic) / sum(counts) / 1), simulated_p = simulated$p.value),
  nested = list(value = value, school = school, class = class, f = f, icc = icc(f),
                low = icc(f / qf(.975, df[1], df[2])), high = icc(f / qf(.025, df[1], df[2])),
                eta_squared = found[["Sum Sq"]][1] / sum(found[["Sum Sq"]]))),
  "frequencies.json", digits = 12, auto_unbox = TRUE)
