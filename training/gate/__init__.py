"""The gate before a model decides: evidence gathered in training, and the checks that promotion holds it against."""
