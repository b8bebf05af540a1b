"""All that a page may be computed from: the decision log and the portfolio as they are known, for all creditors or one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.config import Config
from data.portfolio import Portfolio
from data.times import DAY_US, IntArray
from training.reports.background import background_of
from training.reports.creditors import Cover, FloatArray
from training.reports.evidence import Complaints, Evidence, Touches, gather
from training.reports.experiment import Entrants, enter

SHOWN_CREDITORS = 20
"""Creditors told of by name in a table, those with most debtors."""


class NothingDecided(LookupError):
    """There are no decisions to report on."""


class UnknownCreditor(KeyError):
    """No claim of the log is this creditor's."""


@dataclass(frozen=True)
class Facts:
    """All that a page may be computed from.

    Parameters
    ----------
    evidence
        The decision log and what came of it as arrays; of a creditor, the rows about that creditor's claims, and
        contacts that covered any of them, with their share of the cost.
    entrants
        Debtors at their first drawn decision; of a creditor, those with a claim of the creditor open then. Their arm is
        that of the debtor, drawn once for all claims.
    portfolio, decisions
        The tables themselves; of a creditor, the rows about that creditor's claims and debtors.
    workspace
        Where bundles and quality records lie.
    creditor
        Whose claims it is about; None: all.
    """

    evidence: Evidence
    entrants: Entrants
    portfolio: Portfolio
    decisions: pa.Table
    config: Config
    workspace: Path
    creditor: str | None = None

    @property
    def known_until_us(self) -> int:
        """Instant up to which facts are known; later ones are not seen."""
        return self.evidence.known_until_us

    @property
    def span_us(self) -> tuple[int, int]:
        """First and last decision."""
        decided_us = self.evidence.rows.decided_us
        return int(decided_us.min()), int(decided_us.max())


def facts_of(
    decisions: pa.Table,
    portfolio: Portfolio,
    *,
    config: Config,
    workspace: Path,
    known_until_us: int,
    now_us: int | None = None,
) -> Facts:
    """Facts about all creditors.

    Decisions on claims that the portfolio does not have are left out, as are those after `now_us`, the time of writing
    (None: `known_until_us`). Debtors decided on since the latest fact are waiting; what came of them is not known.

    Raises
    ------
    NothingDecided
        No decision is left.
    """
    known = pc.is_in(decisions["claim_id"], value_set=portfolio["claims"]["claim_id"].combine_chunks())
    last_us = known_until_us if now_us is None else max(now_us, known_until_us)
    ours = decisions.filter(pc.and_(known, pc.less_equal(decisions["decided_at"].cast(pa.int64()), last_us)))
    if not ours.num_rows:
        raise NothingDecided(
            f"expected decisions on claims of the portfolio, found none among {decisions.num_rows} rows of the log: "
            "run `rettid decide` first, or name the portfolio that was decided on"
        )
    evidence = gather(ours, portfolio, config=config, known_until_us=known_until_us)
    entrants = enter(evidence)
    before = background_of(entrants, evidence.rows, portfolio, config=config)
    entrants = replace(entrants, before=before, followed_to_us=known_until_us - config.horizon.days * DAY_US)
    return Facts(evidence, entrants, portfolio, ours, config, workspace)


def creditors(facts: Facts) -> tuple[str, ...]:
    """Creditors with claims in the log, those of most debtors first."""
    return tuple(debtors_of_creditors(facts))


def debtors_of_creditors(facts: Facts) -> dict[str, IntArray]:
    """Debtors with claims of each creditor in the log, rows of its `debtor_id`; creditors of most debtors first."""
    found = facts.evidence
    of_row = found.creditors.of_claim[found.rows.claim]
    pairs = np.unique(np.stack([of_row, found.rows.debtor]), axis=1)
    counts = np.bincount(pairs[0] + 1, minlength=len(found.creditors.name) + 1)[1:]
    order = np.argsort(-counts, kind="stable")
    return {found.creditors.name[one]: pairs[1][pairs[0] == one] for one in order.tolist() if counts[one]}


def of_creditor(facts: Facts, creditor: str) -> Facts:
    """The facts about one creditor's claims.

    A debtor counts who had a claim of the creditor open at the first decision, in the debtor's arm. Recovered money and
    claims add up over creditors; of a contact that covered several creditors' claims, so does the cost.

    Raises
    ------
    UnknownCreditor
        No claim of the log is this creditor's.
    """
    names = facts.evidence.creditors.name
    code = names.index(creditor) if creditor in names else len(names)
    theirs = facts.evidence.creditors.of_claim == code
    if not theirs[facts.evidence.rows.claim].any():
        raise UnknownCreditor(f"expected a creditor with claims in the log, came {creditor!r}: see `creditors`")
    evidence = _narrowed(facts.evidence, code)
    entrants = facts.entrants.with_claims(theirs[facts.entrants.claim])
    here = np.unique(evidence.rows.debtor)
    claim_ids = facts.evidence.rows.claim_id.filter(pa.array(theirs))
    return replace(
        facts,
        evidence=evidence,
        entrants=replace(entrants, objected=int(evidence.objected[here].sum())),
        portfolio=_portfolio_of(facts.portfolio, creditor),
        decisions=facts.decisions.filter(pc.is_in(facts.decisions["claim_id"], value_set=claim_ids)),
        creditor=creditor,
    )


def _narrowed(evidence: Evidence, creditor: int) -> Evidence:
    """Evidence about one creditor's claims; names of debtors, claims and decisions stay those of the whole log."""
    theirs = evidence.creditors.of_claim == creditor
    rows, payments = evidence.rows, evidence.payments
    here = theirs[rows.claim]
    per_row = {name: value[here] for name, value in vars(rows).items() if isinstance(value, np.ndarray)}
    paid = np.append(theirs, False)[payments.claim_row]
    return replace(
        evidence,
        rows=replace(rows, **per_row),
        payments=replace(payments, claim_row=np.where(paid, payments.claim_row, -1)),
        touches=_touches_of(evidence.touches, creditor),
        complaints=_complaints_of(evidence.complaints, creditor),
        decision_cost_eur=evidence.decision_cost_eur[here] * _part_of(evidence, creditor)[here],
    )


def _touches_of(touches: Touches, creditor: int) -> Touches:
    """Contacts that covered any of the creditor's claims, with their share of what each cost."""
    share = touches.cover.share(creditor, len(touches.debtor))
    made = share > 0
    return Touches(
        debtor=touches.debtor[made],
        channel=touches.channel[made],
        at_us=touches.at_us[made],
        cost_eur=(touches.cost_eur * share)[made],
        harm_eur=(touches.harm_eur * share)[made],
        cover=touches.cover.only(made),
    )


def _complaints_of(complaints: Complaints, creditor: int) -> Complaints:
    told = complaints.cover.share(creditor, len(complaints.debtor)) > 0
    here = complaints.debtor[told], complaints.at_us[told], complaints.complained[told]
    return Complaints(*here, complaints.cover.only(told))


def _part_of(evidence: Evidence, creditor: int) -> FloatArray:
    """Share of the claims covered by each row's decision that are the creditor's."""
    rows = evidence.rows
    contact = rows.channel > 0
    covers = Cover(rows.decision[contact], evidence.creditors.of_claim[rows.claim[contact]])
    return covers.share(creditor, len(rows.decision_id))[rows.decision]


def _portfolio_of(portfolio: Portfolio, creditor: str) -> Portfolio:
    """The rows about one creditor's claims and the debtors who have them."""
    claims = portfolio["claims"].filter(pc.equal(portfolio["claims"]["creditor_id"], creditor))
    claim_id, debtor_id = claims["claim_id"].combine_chunks(), claims["debtor_id"].unique()
    tables = {**portfolio.tables, "claims": claims}
    for name in ("claim_events", "contacts", "payments"):
        tables[name] = tables[name].filter(pc.is_in(tables[name]["claim_id"], value_set=claim_id))
    for name in ("debtors", "debtor_profiles", "contact_points"):
        tables[name] = tables[name].filter(pc.is_in(tables[name]["debtor_id"], value_set=debtor_id))
    contact_id = tables["contacts"]["contact_id"].unique()
    events = tables["contact_events"]
    tables["contact_events"] = events.filter(pc.is_in(events["contact_id"], value_set=contact_id))
    return Portfolio(tables, portfolio.given)
