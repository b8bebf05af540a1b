"""Keys of a portfolio laid out by debtor that stand in more than one shard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from data.checks.scope import Scope, report
from data.conform import as_text
from data.problems import Problem

Keys = Mapping[tuple[str, str], pa.Array]

ACROSS = (("debtors", "debtor_id"), ("claims", "claim_id"), ("payments", "payment_id"))
"""Keys that are held against those of other shards.

The layout promises that a debtor is in one shard; with the debtor go its claims, and with them its payments. Contacts and
events, tens of millions, are compared within their shard only, where everything that reads them looks.
"""

WHAT = "the same key stands in several shards"
REMEDY = "give all rows of one debtor to one shard, and each row to one only"


def keys_of(tables: Mapping[str, pa.Table]) -> Keys:
    """Distinct keys of one shard that other shards must not have."""
    return {(table, column): pc.unique(tables[table].column(column).drop_null()) for table, column in ACROSS}


def keys_in_several(shards: Sequence[Keys]) -> dict[tuple[str, str], pa.Array]:
    """Keys that more than one shard has; nothing for a key of which there is none.

    >>> one = {("debtors", "debtor_id"): pa.array(["d1", "d2"])}
    >>> keys_in_several([one, {("debtors", "debtor_id"): pa.array(["d2"])}])["debtors", "debtor_id"].to_pylist()
    ['d2']
    """
    found = {}
    for place in shards[0] if shards else ():
        counts = pa.chunked_array([keys[place] for keys in shards]).value_counts()
        twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        if len(twice):
            found[place] = twice
    return found


def told(several: Keys) -> list[Problem]:
    """Problems for keys that stand in several shards, before it is known in which rows."""
    return [
        Problem(table, column, value=as_text(keys[0]), count=len(keys), what=WHAT, remedy=REMEDY)
        for (table, column), keys in several.items()
    ]


def keys_elsewhere(scope: Scope) -> Iterator[Problem]:
    """No key of this shard stands in another one too."""
    for (table, column), keys in scope.elsewhere.items():
        mask = pc.is_in(scope.column(table, column), value_set=keys)
        yield from report(scope, table, column=column, mask=mask, what=WHAT, remedy=REMEDY)
