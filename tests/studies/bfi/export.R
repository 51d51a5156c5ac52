# 25 personality items answered in the SAPA project, as the R package psych ships them (bfi): 500 rows at random.
# Run here: Rscript export.R
data(bfi, package = "psych")
set.seed(1939)
answers <- bfi[sort(sample(nrow(bfi), 500)), ]
answers <- cbind(respondent = seq_len(nrow(answers)), answers)
write.table(answers, "answers.tsv", sep = "\t", row.names = FALSE, quote = FALSE, na = "NA")
