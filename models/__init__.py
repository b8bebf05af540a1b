"""How a row becomes a choice: contact rules, the tenant's present ladder, propensity, calibration, policy, decide."""
