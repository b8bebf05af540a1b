"""Contact rules, one a file: they bar actions before any policy chooses; `mask` applies them in order."""
