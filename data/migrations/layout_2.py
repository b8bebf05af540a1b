"""Tables of layout 2: chained, guarded, identifiers sealed; never to be changed, the next layout gets a file of its own."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


def _chained() -> tuple[sa.Column[int], sa.Column[int]]:
    place = sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False)
    return place, sa.Column("link", sa.BigInteger, nullable=False)


about = sa.Table(
    "about",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

chain = sa.Table(
    "chain",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("parts", sa.Text, nullable=False),
    sa.Column("ends", sa.Text, nullable=False),
)

subjects = sa.Table(
    "subjects",
    metadata,
    sa.Column("ref", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("lookup", sa.Text, nullable=False, unique=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("key", sa.LargeBinary, nullable=False),
)

batches = sa.Table(
    "batches",
    metadata,
    *_chained(),
    sa.Column("batch_id", sa.Text, nullable=False, unique=True),
    sa.Column("as_of", sa.BigInteger, nullable=False),
    sa.Column("portfolio", sa.Text),
    sa.Column("config_fingerprint", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
)

batch_parts = sa.Table(
    "batch_parts",
    metadata,
    *_chained(),
    sa.Column("batch_id", sa.Text, nullable=False, index=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
)

decision_rows = sa.Table(
    "decision_rows",
    metadata,
    *_chained(),
    sa.Column("decision_id", sa.Text, nullable=False),
    sa.Column("debtor_ref", sa.BigInteger, nullable=False),
    sa.Column("claim_sealed", sa.LargeBinary, nullable=False),
    sa.Column("lead", sa.SmallInteger, nullable=False),
    sa.Column("decided_at", sa.BigInteger, nullable=False),
    sa.Column("valid_until", sa.BigInteger, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("send_at", sa.BigInteger),
    sa.Column("payment_option", sa.Text),
    sa.Column("tone", sa.Text),
    sa.Column("payment_probability", sa.Double, nullable=False),
    sa.Column("uplift", sa.Double, nullable=False),
    sa.Column("expected_value", sa.Double, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("action_probability", sa.Double),
    sa.Column("arm_probability", sa.Double),
    sa.Column("channel_probability", sa.Double),
    sa.Column("channel_daypart_probability", sa.Double),
    sa.Column("explored", sa.SmallInteger, nullable=False),
    sa.Column("arm", sa.Text, nullable=False),
    sa.Column("segment", sa.Text, nullable=False),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("policy_version", sa.Text, nullable=False),
    sa.Column("rules_version", sa.Text, nullable=False),
    sa.Column("reasons", sa.LargeBinary),
    sa.Column("blocked", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("batch_id", sa.Text),
    sa.Column("answer_id", sa.Text, index=True),
    sa.UniqueConstraint("decision_id", "claim_sealed", "batch_id"),
    sa.Index("decision_rows_of_debtor", "debtor_ref", "decided_at"),
)

answers = sa.Table(
    "answers",
    metadata,
    *_chained(),
    sa.Column("answer_id", sa.Text, nullable=False, unique=True),
    sa.Column("debtor_ref", sa.BigInteger, nullable=False),
    sa.Column("decided_at", sa.BigInteger, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

decision_steps = sa.Table(
    "decision_steps",
    metadata,
    *_chained(),
    sa.Column("decision_id", sa.Text, nullable=False, index=True),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text),
)

events = sa.Table(
    "events",
    metadata,
    *_chained(),
    sa.Column("event_key", sa.Text, nullable=False, unique=True),
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text),
    sa.Column("of_debtor", sa.BigInteger),
    sa.Column("of_claim", sa.Text),
    sa.Column("of_contact", sa.Text),
    sa.Column("of_decision", sa.Text),
    sa.Column("row_key", sa.Text),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("sealed_for", sa.BigInteger, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Index("events_of_debtor", "of_debtor", "sequence"),
    sa.Index("events_of_claim", "of_claim", "sequence"),
    sa.Index("events_of_contact", "of_contact", "sequence"),
    sa.Index("events_of_decision", "of_decision", "sequence"),
    sa.Index("events_by_key", "table_name", "row_key", "sequence"),
)

erasures = sa.Table(
    "erasures",
    metadata,
    *_chained(),
    sa.Column("debtor", sa.Text, nullable=False, index=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),
)

stored_answers = sa.Table(
    "stored_answers",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("begun_at", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("body", sa.LargeBinary),
    sa.Column("media_type", sa.Text),
    sa.Column("sealed_for", sa.BigInteger),
)

answer_debtors = sa.Table(
    "answer_debtors",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("debtor", sa.Text, primary_key=True, index=True),
)

debtor_versions = sa.Table(
    "debtor_versions",
    metadata,
    sa.Column("debtor", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)

GUARDED = (
    "chain",
    "batches",
    "batch_parts",
    "decision_rows",
    "answers",
    "decision_steps",
    "events",
    "erasures",
)
"""Tables that triggers let only grow."""
