"""Who may call what: keys, sign-in, roles, limits to how often, and which creditors a caller sees."""
