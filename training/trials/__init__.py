"""Statistics of randomised experiments on plain arrays: one entry a debtor, no portfolio, no page."""
