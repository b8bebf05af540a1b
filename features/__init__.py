"""What was knowable about a debtor, a claim and an action at `as_of`: one definition for training, batch and service."""
