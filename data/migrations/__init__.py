"""Migrations of the decision log, run by `data.migrating`; `versions` holds one file for each layout, `access` those of the keys."""
