"""A decision on its way to the wire: the fields of `serving.shapes.NextBestAction` in plain values, and what they are as bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from serving.shapes import NextBestAction

_NAMES = tuple(NextBestAction.model_fields)
_DEFAULTS = {name: one.default for name, one in NextBestAction.model_fields.items() if not one.is_required()}


@dataclass(frozen=True)
class ToldAction:
    """A decision as it is answered, its fields in the order of the model; `of` puts them into it.

    The model would look at every value that the decision was just made of, and take ten times as long to become bytes; that
    both say the same is held by a test.
    """

    fields: Mapping[str, Any]

    @staticmethod
    def of(fields: Mapping[str, Any]) -> ToldAction:
        """The fields in the order of the model, defaults where they are left out."""
        whole = {**_DEFAULTS, **fields}
        return ToldAction({name: whole[name] for name in _NAMES})

    @property
    def body(self) -> bytes:
        """As JSON."""
        return orjson.dumps(self.fields, option=orjson.OPT_UTC_Z)

    @property
    def model(self) -> NextBestAction:
        """As the model that describes it."""
        return NextBestAction.model_validate(self.fields)

    @property
    def decision_id(self) -> str | None:
        """None where nothing was logged."""
        found: str | None = self.fields["decision_id"]
        return found

    @property
    def channel(self) -> str:
        """Of the contact, or `none`."""
        return str(self.fields["channel"])

    @property
    def arm(self) -> str | None:
        """None in an answer without the log."""
        found: str | None = self.fields["arm"]
        return found

    @property
    def blocked(self) -> Sequence[Mapping[str, str]]:
        """Channels that are shut, each with its rule."""
        found: Sequence[Mapping[str, str]] = self.fields["blocked"]
        return found

    @property
    def reused(self) -> bool:
        """Whether it is an earlier decision again."""
        return bool(self.fields["reused"])

    @property
    def dry_run(self) -> bool:
        """Whether nothing was reserved."""
        return bool(self.fields["dry_run"])

    @property
    def degraded(self) -> bool:
        """Whether it was given with caution, without the log."""
        return bool(self.fields["degraded"])
