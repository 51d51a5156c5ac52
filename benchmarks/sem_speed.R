# Times lavaan on the tasks of sem_speed.py; prints JSON: processor seconds per task. Arguments: data file, resamples.
suppressMessages({library(lavaan); library(jsonlite)})
arguments <- commandArgs(trailingOnly = TRUE)
input <- fromJSON(arguments[1], simplifyVector = FALSE)
students <- read.csv(input$data)
complete <- na.omit(students)
pair <- complete[complete$black == 1 | complete$white == 1, ]
time_of <- function(task, repeats) {
  task()
  median(replicate(repeats, sum(system.time(task())[1:2])))
}
fitted <- sem(input$model, complete)
draw <- function() {
  rows <- sample(nrow(complete), replace = TRUE)
  sem(input$model, complete[rows, ], se = "none", test = "none", baseline = FALSE, h1 = FALSE,
      start = fitted)
}
set.seed(1)
boot <- sum(system.time(for (k in seq_len(input$resamples)) draw())[1:2]) / input$resamples * 1000
cat(toJSON(list(
  "one fit with standard errors" = time_of(function() sem(input$model, complete), 7),
  "1,000 bootstrap fits" = boot,
  "metric model, two groups" = time_of(function() sem(input$factors, pair, group = "race", group.equal = "loadings"), 5),
  "FIML fit" = time_of(function() sem(input$model, students, missing = "ml.x", fixed.x = FALSE), 3)
), auto_unbox = TRUE, digits = 6))
