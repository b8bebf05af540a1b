"""An old log of contacts looked at again: what was done, what it can and cannot say, and the test that would settle it."""
