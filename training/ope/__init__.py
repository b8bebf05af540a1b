"""Off-policy evaluation on plain arrays: estimators, weights of cells and of loggers, tuning, intervals, overlap."""
