"""What a data scientist would ask about a portfolio before relying on it, one idea per file."""
