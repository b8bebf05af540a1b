"""Learning, judging and telling: splits, fits, off-policy evaluation, promotion, report pages."""
