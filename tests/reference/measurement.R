# Reliability, loadings, proportional odds and invariance by psych, MASS and lavaan.
# Run in this folder: Rscript measurement.R measurement_r.json
library(lavaan)
library(psych)
library(jsonlite)

out <- commandArgs(TRUE)[1]
bfi <- read.csv("sem_bfi.csv")
items <- c("A2", "A3", "A4", "A5")
answers <- bfi[items]
complete <- na.omit(answers)

result <- alpha(complete, check.keys = FALSE, warnings = FALSE)
feldt <- alpha.ci(result$total$raw_alpha, n.obs = nrow(complete), n.var = length(items), p.val = 0.05)

model <- "f =~ NA*A2 + l2*A2 + l3*A3 + l4*A4 + l5*A5
          f ~~ 1*f
          A2 ~~ e2*A2
          A3 ~~ e3*A3
          A4 ~~ e4*A4
          A5 ~~ e5*A5
          omega := (l2 + l3 + l4 + l5)^2 / ((l2 + l3 + l4 + l5)^2 + e2 + e3 + e4 + e5)"
fitted <- cfa(model, answers, estimator = "MLR", missing = "fiml")
table <- parameterEstimates(fitted)
omega_row <- table[table$op == ":=", ]
standard <- standardizedSolution(fitted)
standard <- standard[standard$op == "=~", ]

loadings <- fa(cor(complete), nfactors = 1, n.obs = nrow(complete), fm = "minres")$loadings[, 1]

both <- bfi[c(items, "gender")]
both <- both[complete.cases(both), ]
score <- as.numeric(scale(rowMeans(both[items])))
group <- as.numeric(both$gender == 2)
logits <- sapply(items, function(item) {
  y <- factor(both[[item]], ordered = TRUE)
  fits <- list(
    MASS::polr(y ~ score),
    MASS::polr(y ~ score + group),
    MASS::polr(y ~ score + group + I(score * group))
  )
  null <- MASS::polr(y ~ 1)
  n <- nrow(both)
  nagelkerke <- function(fit) {
    (1 - exp(2 * as.numeric(logLik(null) - logLik(fit)) / n)) / (1 - exp(2 * as.numeric(logLik(null)) / n))
  }
  c(
    uniform = as.numeric(2 * (logLik(fits[[2]]) - logLik(fits[[1]]))),
    non_uniform = as.numeric(2 * (logLik(fits[[3]]) - logLik(fits[[2]]))),
    gain = nagelkerke(fits[[2]]) - nagelkerke(fits[[1]]),
    log_odds = unname(coef(fits[[2]])["group"])
  )
})

grouped <- bfi[c(items, "gender")]
plain <- "f =~ A2 + A3 + A4 + A5"
ladder <- list(
  configural = cfa(plain, grouped, group = "gender", estimator = "MLR", missing = "fiml", std.lv = TRUE),
  metric = cfa(plain, grouped, group = "gender", estimator = "MLR", missing = "fiml", std.lv = TRUE, group.equal = "loadings"),
  scalar = cfa(plain, grouped, group = "gender", estimator = "MLR", missing = "fiml", std.lv = TRUE,
               group.equal = c("loadings", "intercepts"))
)
tests <- lavTestLRT(ladder[[1]], ladder[[2]], ladder[[3]], method = "satorra.bentler.2001")
means <- parameterEstimates(ladder$scalar)
means <- means[means$lhs == "f" & means$op == "~1" & means$group == 2, ]

write_json(list(
  alpha = unname(result$total$raw_alpha),
  feldt = c(feldt$lower.ci, feldt$upper.ci),
  omega = c(omega_row$est, omega_row$se),
  standardized = setNames(as.list(standard$est.std), standard$rhs),
  standardized_se = setNames(as.list(standard$se), standard$rhs),
  cfi = unname(fitMeasures(fitted, "cfi.robust")),
  rmsea = unname(fitMeasures(fitted, "rmsea.robust")),
  minres = as.list(loadings),
  logits = as.list(as.data.frame(logits)),
  groups = as.character(lavInspect(ladder$metric, "group.label")),
  cfi_steps = unname(sapply(ladder, function(fit) fitMeasures(fit, "cfi.robust"))),
  rmsea_steps = unname(sapply(ladder, function(fit) fitMeasures(fit, "rmsea.robust"))),
  srmr_steps = unname(sapply(ladder, function(fit) fitMeasures(fit, "srmr"))),
  lr = tests[["Chisq diff"]][2:3],
  lr_df = tests[["Df diff"]][2:3],
  lr_p = tests[["Pr(>Chisq)"]][2:3],
  latent_mean = c(means$est, means$se)
), out, digits = 12, auto_unbox = TRUE, pretty = TRUE)
