"""What the contract asks of rows already in the right types, one idea per file."""
