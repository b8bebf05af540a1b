"""One file for each layout that the store of keys, managers and sessions has had."""
