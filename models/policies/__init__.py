"""Ways to choose among what the rules allow: greedy, drawn by value or by an ensemble, a tree that can be read."""
