# Fits two groups of sem_study.csv with equal loadings of collaboration, and writes paths, their Wald tests and the
# delta test of their standardized difference to differences_lavaan.json beside it. Run: Rscript differences.R
suppressMessages({library(lavaan); library(jsonlite)})
script <- sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))
here <- dirname(normalizePath(script))
students <- read.csv(file.path(here, "sem_study.csv"))
students <- students[students$race %in% c("black", "white"), ]
students <- students[order(students$race), ]  # lavaan numbers groups as they first appear
model <- "
hqc =~ hq_student_centered + hq_interdependence + hq_norms_clarity + hq_balanced_comp + hq_respectful + hq_exchange +
  hq_shared_lead + hq_inclusion
hqc ~ female + ell + school_2 + school_3 + school_4
env_teacher_expect ~ c(a1, a2)*hqc + female + ell + school_2 + school_3 + school_4
env_peer_learning ~ c(b1, b2)*env_teacher_expect + c(c1, c2)*hqc + female + ell + school_2 + school_3 + school_4
gap_a := a1 - a2
gap_direct := c1 - c2
gap_indirect := a1*b1 - a2*b2
"
# the tightest tolerance at which lavaan's optimiser still says that it converged
for (tolerance in c(1e-13, 1e-12, 1e-11, 1e-10, 1e-9)) {
  fit <- suppressWarnings(
    sem(model, students, group = "race", group.equal = "loadings", control = list(rel.tol = tolerance))
  )
  if (lavInspect(fit, "converged")) break
}
wald <- lapply(c(a = "a1 == a2", b = "b1 == b2", direct = "c1 == c2"), function(text) {
  test <- lavTestWald(fit, constraints = text)
  list(statistic = test$stat, p_value = test$p.value)
})
standardized <- standardizedSolution(fit)
pick <- function(label) {
  row <- standardized[standardized$label == label, ]
  list(estimate = row$est.std, std_error = row$se)
}
labels <- c("a1", "a2", "b1", "b2", "c1", "c2", "gap_a", "gap_direct", "gap_indirect")
plain <- parameterEstimates(fit)
result <- list(
  n = lavInspect(fit, "nobs"), wald = wald,
  standardized = sapply(labels, pick, simplify = FALSE),
  plain = sapply(labels, function(label) {
    row <- plain[plain$label == label, ]
    list(estimate = row$est[1], std_error = row$se[1])
  }, simplify = FALSE)
)
write_json(result, file.path(here, "differences_lavaan.json"), auto_unbox = TRUE, digits = 10, pretty = TRUE)
