"""Where a decision came from and what became of it: the words that stand in the log."""

from __future__ import annotations

BATCH, ONLINE = "batch", "online"
DECIDED, CONFIRMED, REFUSED, REPLACED, SENT = "decided", "confirmed", "refused", "replaced", "sent"
"""Status of a decision: as taken; last answer to a confirmation; a newer one took its place; reported as sent."""

ERASED = "erased"
"""What a pseudonym begins with that stands for an identifier nobody can read any more."""
