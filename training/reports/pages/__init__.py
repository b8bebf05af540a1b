"""Pages of the reports, one a module: each makes blocks of facts, and knows no HTML and no language."""
