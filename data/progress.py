"""How long work says where it stands."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, from 0 to 1."""

Say = Callable[[str], None]
"""Called with a short sentence before each step."""
