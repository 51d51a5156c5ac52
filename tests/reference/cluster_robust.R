# Writes cluster_robust.csv and cluster_robust.json: CR2 standard errors and Satterthwaite degrees of
# freedom of clubSandwich for R's ChickWeight (weight on time and diet, clustered by chick), once as it is
# and once with an indicator of a single chick, which makes that chick's block of I - H singular.
library(clubSandwich)
library(jsonlite)
chicks <- data.frame(
  weight = ChickWeight$weight, time = ChickWeight$Time, chick = as.character(ChickWeight$Chick),
  diet2 = as.numeric(ChickWeight$Diet == 2), diet3 = as.numeric(ChickWeight$Diet == 3),
  diet4 = as.numeric(ChickWeight$Diet == 4), lone = as.numeric(ChickWeight$Chick == 8)
)
write.csv(chicks, "cluster_robust.csv", row.names = FALSE)
tested <- function(formula, contrasts = NULL) {
  model <- lm(formula, data = chicks)
  found <- coef_test(model, vcov = "CR2", cluster = chicks$chick, test = "Satterthwaite")
  list(term = names(coef(model)), estimate = unname(coef(model)), std_error = found$SE, df = found$df_Satt,
       p_value = found$p_Satt)
}
plain <- lm(weight ~ time + diet2 + diet3 + diet4, data = chicks)
line <- linear_contrast(plain, vcov = "CR2", cluster = chicks$chick, test = "Satterthwaite",
                        contrasts = matrix(c(0, 0, 1, -1, 0), 1), level = .95)
write_json(
  list(version = as.character(packageVersion("clubSandwich")),
       plain = tested(weight ~ time + diet2 + diet3 + diet4),
       singular = tested(weight ~ time + diet2 + lone),
       mean = tested(weight ~ 1),
       contrast = list(estimate = line$Est, std_error = line$SE, df = line$df, low = line$CI_L, high = line$CI_U)),
  "cluster_robust.json", digits = 12, auto_unbox = TRUE, pretty = TRUE)
