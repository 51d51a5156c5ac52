# Fits every case of sem_cases.json with lavaan and writes the results to the file named on the command line.
# Data come from sem_<name>.csv beside this script; `--data` first writes those that R packages ship
# (HolzingerSwineford1939, PoliticalDemocracy, Demo.growth, FacialBurns: lavaan, GPL >= 2; bfi, sat.act: psych,
# GPL >= 2; airquality, swiss: R itself, GPL >= 2). `--all` includes the cases marked slow;
# `--only=a,b` takes some and nothing else.
suppressMessages({library(lavaan); library(jsonlite)})
arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))
here <- dirname(normalizePath(script))
store <- function(table, name) write.csv(table, file.path(here, paste0("sem_", name, ".csv")), row.names = FALSE)

punch <- function(table, columns, share, seed) {
  set.seed(seed)
  for (column in columns) table[[column]][runif(nrow(table)) < share] <- NA
  table
}

if ("--data" %in% arguments) {
  hs <- HolzingerSwineford1939[c("sex", "ageyr", "agemo", "school", paste0("x", 1:9))]
  hs$born <- hs$ageyr * 100 + hs$agemo
  hs$school_born <- paste(hs$school, hs$born)
  hs[paste0("x", 1:9)] <- round(hs[paste0("x", 1:9)], 6)
  store(hs, "hs")
  store(punch(punch(hs, c("x1", "x4", "x7", "ageyr"), .10, 1), c("x2", "x5", "x9"), .30, 2), "hs_missing")
  store(round(PoliticalDemocracy, 6), "democracy")
  store(punch(round(PoliticalDemocracy, 6), c("y1", "y4", "y6", "x2"), .12, 3), "democracy_missing")
  store(round(Demo.growth, 6), "growth")
  bfi <- psych::bfi[1:800, c(paste0("A", 1:5), paste0("C", 1:5), "gender", "age")]
  bfi$male <- 2 - bfi$gender
  store(bfi, "bfi")
  sat <- psych::sat.act
  sat[c("SATV", "SATQ")] <- sat[c("SATV", "SATQ")] / 100  # units in which lavaan converges
  store(sat, "sat")
  store(FacialBurns, "burns")
  air <- airquality
  air[c("Ozone", "Solar.R", "Temp")] <- air[c("Ozone", "Solar.R", "Temp")] / 10
  store(air, "air")
  store(swiss, "swiss")
}

options_of <- function(options) {
  names(options) <- gsub("_", ".", names(options), fixed = TRUE)
  lapply(options, function(value) if (is.list(value)) unlist(value) else value)
}

read_data <- function(case) {
  table <- read.csv(file.path(here, paste0("sem_", case$data, ".csv")))
  if (is.null(case$subset)) return(table)
  if (case$subset == "black_white") return(table[table$black == 1 | table$white == 1, ])
  table[table[[case$subset]] == 1, ]
}

fits <- list()
describe <- function(case) {
  arguments <- c(list(model = case$model, data = read_data(case)), options_of(case$options))
  # the tightest tolerance at which lavaan's optimiser still says that it converged
  for (tolerance in c(1e-14, 1e-12, 1e-10)) {
    fit <- do.call("sem", c(arguments, list(control = list(rel.tol = tolerance, iter.max = 20000, eval.max = 20000))))
    if (lavInspect(fit, "converged")) break
  }
  fits[[case$name]] <<- fit
  plain <- parameterEstimates(fit)
  standard <- standardizedSolution(fit)
  labels <- lavInspect(fit, "group.label")
  group <- rep("", nrow(plain))
  if (length(labels)) group[plain$op != ":="] <- labels[plain$group[plain$op != ":="]]
  out <- list(
    estimates = list(lhs = plain$lhs, op = plain$op, rhs = plain$rhs, group = group, est = plain$est,
                     se = plain$se, std = standard$est.std, std_se = standard$se),
    measures = as.list(fitMeasures(fit)[grepl("chisq|df|pvalue|cfi|tli|rmsea|srmr$|logl|aic|^bic$|npar", names(fitMeasures(fit)))]),
    # all digits: this is what decides where the two programs stop at different places
    logl = sprintf("%.10f", fitMeasures(fit, "logl"))
  )
  if (isTRUE(case$score)) {
    test <- lavTestScore(fit)$uni
    table <- parTable(fit)
    at <- match(test$rhs, table$plabel)
    out$score <- data.frame(lhs = table$lhs[at], op = table$op[at], rhs = table$rhs[at], chisq = test$X2)
  }
  if (!is.null(case$against)) {
    test <- lavTestLRT(fit, fits[[case$against]])
    out$difference <- list(statistic = test[["Chisq diff"]][2], df = test[["Df diff"]][2])
    if ("MLR" %in% case$options$estimator) {
      newer <- lavTestLRT(fit, fits[[case$against]], method = "satorra.bentler.2010")
      out$difference$statistic_2010 <- newer[["Chisq diff"]][2]
    }
  }
  out
}

# 200 resamples whose rows a generator with exact arithmetic picks, so that Python can pick the same
bootstrap <- function() {
  table <- read.csv(file.path(here, "sem_hs.csv"))
  model <- "visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9\ntextual =~ x4 + x5 + x6\nspeed ~ visual + sex"
  state <- 1
  draw <- function() {
    rows <- integer(nrow(table))
    for (k in seq_along(rows)) {
      state <<- (16807 * state) %% 2147483647
      rows[k] <- state %% nrow(table) + 1
    }
    coef(sem(model, table[rows, ], se = "none", test = "none", baseline = FALSE, h1 = FALSE))
  }
  list(model = model, coefficients = signif(t(replicate(200, draw())), 7))
}

other <- function() {
  ordered <- read.csv(file.path(here, "sem_bfi.csv"))[c("A1", "A2", "A3", "A4", "A5")]
  ordered <- na.omit(ordered)
  categorical <- cfa("f =~ A1 + A2 + A3 + A4 + A5", ordered, ordered = names(ordered), std.lv = TRUE)
  hs <- read.csv(file.path(here, "sem_hs.csv"))
  factors <- cfa("visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9\nx7 ~~ x8", hs)
  wald <- sem("visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + x9\nspeed ~ c(a1, a2)*visual + c(b1, b2)*sex", hs, group = "school")
  list(
    polychoric = unclass(lavCor(ordered, ordered = names(ordered))),
    categorical_loadings = as.numeric(coef(categorical)[1:5]),
    categorical_thresholds = lavInspect(categorical, "th"),
    categorical_omega = as.numeric(suppressWarnings(semTools::reliability(categorical))["omega", 1]),
    omega = as.list(suppressWarnings(semTools::reliability(factors))["omega", ]),
    minres = unclass(psych::fa(hs[paste0("x", 1:9)], 3, rotate = "none", fm = "minres")$loadings)[, ],
    wald = lavTestWald(wald, "a1 == a2\nb1 == b2")[c("stat", "df")],
    wald_product = lavTestWald(wald, "a1*b1 == a2*b2")[c("stat", "df")]
  )
}

cases <- fromJSON(file.path(here, "sem_cases.json"), simplifyVector = FALSE)
chosen <- sub("--only=", "", arguments[startsWith(arguments, "--only=")])
if (length(chosen)) cases <- Filter(function(case) case$name %in% strsplit(chosen, ",")[[1]], cases)
if (!"--all" %in% arguments) cases <- Filter(function(case) !isTRUE(case$slow), cases)
results <- lapply(cases, function(case) {
  began <- Sys.time()
  out <- suppressWarnings(describe(case))
  message(case$name, " ", round(as.numeric(Sys.time() - began, units = "secs"), 1), " s")
  out
})
names(results) <- vapply(cases, function(case) case$name, "")
target <- arguments[!startsWith(arguments, "--")][1]
everything <- list(lavaan = as.character(packageVersion("lavaan")), cases = results)
if (!length(chosen)) everything <- c(everything, list(bootstrap = bootstrap(), other = suppressWarnings(other())))
write_json(
  everything, target, digits = I(9), auto_unbox = TRUE, na = "null"
)
