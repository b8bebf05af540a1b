"""Tables of layout 1, as every log held them before there were migrations; never to be changed."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=nullable)


def _sequence() -> sa.Column[int]:
    return sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True)


def _when(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


about = sa.Table("about", metadata, sa.Column("name", sa.String, primary_key=True), _text("value"))

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("batch_id", sa.String, primary_key=True),
    _when("as_of"),
    _text("portfolio", nullable=True),
    _text("config_fingerprint"),
    sa.Column("rows", sa.Integer, nullable=False),
)

decision_rows = sa.Table(
    "decision_rows",
    metadata,
    _sequence(),
    *map(_text, ("decision_id", "debtor_id", "claim_id")),
    sa.Column("lead", sa.Boolean, nullable=False),
    *map(_when, ("decided_at", "valid_until")),
    _text("channel"),
    _when("send_at", nullable=True),
    _text("payment_option", nullable=True),
    _text("tone", nullable=True),
    *(sa.Column(name, sa.Double, nullable=False) for name in ("payment_probability", "uplift", "expected_value")),
    _text("currency"),
    sa.Column("action_probability", sa.Double),
    sa.Column("arm_probability", sa.Double),
    sa.Column("channel_probability", sa.Double),
    sa.Column("channel_daypart_probability", sa.Double),
    sa.Column("explored", sa.Boolean, nullable=False),
    *map(_text, ("arm", "segment", "model_version", "policy_version", "rules_version")),
    sa.Column("reasons", sa.JSON(none_as_null=True)),
    sa.Column("blocked", sa.JSON(none_as_null=True), nullable=False),
    _text("source"),
    _text("batch_id", nullable=True),
    sa.Column("answer_id", sa.String, index=True),
    sa.UniqueConstraint("decision_id", "claim_id", "batch_id"),
    sa.Index("decision_rows_of_debtor", "debtor_id", "decided_at"),
    sqlite_autoincrement=True,
)

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("answer_id", sa.String, primary_key=True),
    _text("debtor_id"),
    _when("decided_at"),
    *(sa.Column(name, sa.JSON, nullable=False) for name in ("asked", "seen", "alternatives")),
)

decision_steps = sa.Table(
    "decision_steps",
    metadata,
    _sequence(),
    sa.Column("decision_id", sa.String, nullable=False, index=True),
    _text("step"),
    _when("at"),
    _text("reason", nullable=True),
    sqlite_autoincrement=True,
)

events = sa.Table(
    "events",
    metadata,
    _sequence(),
    sa.Column("event_id", sa.String, nullable=False, unique=True),
    _text("table_name"),
    *(_text(name, nullable=True) for name in ("of_debtor", "of_claim", "of_contact", "row_key")),
    _text("digest"),
    sa.Column("row", sa.JSON, nullable=False),
    _when("received_at"),
    sa.Index("events_of_debtor", "of_debtor", "sequence"),
    sa.Index("events_of_claim", "of_claim", "sequence"),
    sa.Index("events_of_contact", "of_contact", "sequence"),
    sa.Index("events_by_key", "table_name", "row_key", "sequence"),
    sqlite_autoincrement=True,
)

stored_answers = sa.Table(
    "stored_answers",
    metadata,
    sa.Column("scope", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    _text("digest"),
    _when("begun_at"),
    sa.Column("status", sa.Integer),
    sa.Column("body", sa.LargeBinary),
    _text("media_type", nullable=True),
)
