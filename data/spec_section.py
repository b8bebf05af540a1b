"""A table of a SPEC, read key by key, so that a misspelt key is an error and a wrong value says where it stands."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

TomlTable = Mapping[str, object]


class BadSpec(ValueError):
    """A SPEC cannot be read or says something that has no meaning."""


class Section:
    """One table of a SPEC that knows which of its keys were asked for.

    Every getter raises `BadSpec` with the place, the value that came and the remedy; `close` raises it for keys nobody
    asked for.
    """

    def __init__(self, values: TomlTable, name: str, source: str) -> None:
        self._values = values
        self._name = name
        self._source = source
        self._known: list[str] = []

    def bad(self, key: str, expected: str) -> BadSpec:
        """The error for a key whose value is not what was expected."""
        came = repr(self._values[key]) if key in self._values else "nothing"
        return BadSpec(f"{self._source}: {self._place(key)}: expected {expected}; came {came}")

    def _place(self, key: str) -> str:
        return f"[{self._name}] {key}" if self._name else key

    def raw(self, key: str) -> object:
        """The value as TOML has it, or None."""
        self._known.append(key)
        return self._values.get(key)

    def text(self, key: str) -> str | None:
        """A text that is not empty, or None where the key is absent."""
        value = self.raw(key)
        if value is not None and (not isinstance(value, str) or not value):
            raise self.bad(key, 'a text such as "column_name"')
        return value

    def needed(self, key: str, expected: str) -> str:
        """A text that must be there."""
        value = self.text(key)
        if value is None:
            raise self.bad(key, expected)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of different texts; one text stands for a list of one."""
        value = self.raw(key)
        if value is None:
            return ()
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
            raise self.bad(key, 'a list of texts such as ["first_column", "second_column"]')
        if len(set(items)) < len(items):
            raise self.bad(key, "each name once")
        return tuple(items)

    def flag(self, key: str) -> bool:
        """True or false; false where absent."""
        value = self.raw(key)
        if value is not None and not isinstance(value, bool):
            raise self.bad(key, "true or false")
        return bool(value)

    def number(self, key: str, *, low: float, high: float, default: float) -> float:
        """A number above `low` and at most `high`."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not low < value <= high:
            raise self.bad(key, f"a number above {low:g} and at most {high:g}")
        return float(value)

    def section(self, key: str) -> Section | None:
        """A table inside this one, or None."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.bad(key, f"a table, written [{key}]")
        return Section(value, f"{self._name}.{key}" if self._name else key, self._source)

    def close(self) -> None:
        """Refuses keys that nobody asked for."""
        for key in self._values:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(self._known)}"
                raise BadSpec(f"{self._source}: {self._place(key)}: unknown key; {hint}")
