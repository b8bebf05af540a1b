"""What was owed on each claim when it was decided on, in EUR: principal less payments known by then; never fees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.outcomes import eur_rates
from data.times import DAY_US
from training.reports.facts import Facts

FloatArray = npt.NDArray[np.float64]


def owed_eur(facts: Facts) -> FloatArray:
    """Outstanding sum of each row of the log at its `decided_at`, not below 0, shape (m,), at the rates of that day."""
    rows, table = facts.evidence.rows, facts.portfolio["claims"].select(["claim_id", "principal", "currency"])
    place = pc.index_in(rows.claim_id, value_set=table["claim_id"].combine_chunks())
    claims = table.take(place.take(pa.array(rows.claim)))
    rate = eur_rates(claims["currency"], rows.decided_us // DAY_US, rates=facts.config.rates)
    principal = claims["principal"].cast(pa.float64()).to_numpy()
    owed: FloatArray = np.maximum(principal * rate - _paid_before(facts), 0.0)
    return owed


def _paid_before(facts: Facts) -> FloatArray:
    """EUR paid on each row's claim that were known at its `decided_at` and not taken back by then, shape (m,)."""
    rows, payments = facts.evidence.rows, facts.evidence.payments
    made = pd.DataFrame(
        {
            "claim": payments.claim_row,
            "known_us": np.maximum(payments.known_us, payments.paid_us),
            "reversed_us": payments.reversed_us,
            "eur": payments.amount_eur,
        }
    )
    asked = pd.DataFrame({"claim": rows.claim, "decided_us": rows.decided_us, "row": np.arange(len(rows.claim))})
    pairs = asked.merge(made[made["claim"] >= 0], on="claim")
    earlier = (pairs["known_us"] <= pairs["decided_us"]) & (pairs["reversed_us"] > pairs["decided_us"])
    pairs = pairs[earlier]
    return np.bincount(pairs["row"], weights=pairs["eur"], minlength=len(rows.claim)).astype(np.float64)
