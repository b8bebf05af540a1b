"""What operations see of the service: log lines, figures, readiness. Never a person, in any of them."""
