"""Erasing a debtor: its keys go, and nobody can read any more what the log says of it."""

from __future__ import annotations

from data.erasure import erase, erased_among
from serving.decider import Service
from serving.problems import Refused
from serving.shapes import Erasure
from serving.state import facts_of

LEFT = (
    "the base portfolio: take the debtor out of its tables; until then the service leaves its rows out",
    "files written from it: decisions, features and reports that were handed out, and backups",
)
"""What is not ours to delete."""

STILL_READ = "the log's write-ahead file, which others read all the while: the service empties it once they have gone"


def erase_debtor(service: Service, debtor_id: str) -> Erasure:
    """What was erased, and what is left to do elsewhere.

    Raises
    ------
    serving.problems.Refused
        No such debtor was ever received, or it has been erased before.
    """
    now = service.clock()
    with service.log.writing() as connection:
        facts = facts_of(connection, service.base, debtor_id)
        if debtor_id in erased_among(connection, [debtor_id]):
            raise Refused("unknown-debtor", "the debtor has been erased before", remedy="nothing is left to erase")
        if not (facts.known or facts.version):
            raise Refused("unknown-debtor", "no such debtor has been received", remedy="look at the identifier")
        claims, contacts = facts.identifiers("claims"), facts.identifiers("contacts")
        done = erase(connection, debtor_id, claims=claims, contacts=contacts, at=now)
    left = LEFT if service.log.scrub() else (STILL_READ, *LEFT)
    return Erasure(erased_at=now, unreadable=dict(done.counts), link=done.link, left_to_do=list(left))
