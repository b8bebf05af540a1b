"""One file for each layout that the decision log has had."""
