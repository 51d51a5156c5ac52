# Holzinger and Swineford (1939): mental tests of students in two schools, as the R package lavaan ships them.
# Run here: Rscript export.R
tests <- lavaan::HolzingerSwineford1939
tests[paste0("x", 1:9)] <- round(tests[paste0("x", 1:9)], 4)
write.csv2(tests, "tests.csv", row.names = FALSE, quote = FALSE, na = "")
