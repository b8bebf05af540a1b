"""Migrations of the store of keys, managers and sessions, run by `data.migrating`; `versions` holds one file for each layout."""
