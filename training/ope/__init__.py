"""Off-policy evaluation on plain arrays: estimators, intervals, overlap."""
