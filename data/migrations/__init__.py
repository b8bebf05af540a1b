"""Migrations of the decision log, run by `data.log_layout`; `versions` holds one file for each layout."""
