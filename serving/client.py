"""A client of the service for collection systems written in Python.

Every call may be made again: a retry carries the same `Idempotency-Key`, so that whatever happens on the way, it has one effect.
Bodies, which hold personal data, are neither logged nor repeated in exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Self, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from serving.client_problems import UnreadableAnswer
from serving.client_retries import Means, Retries, answered
from serving.shapes import (
    BATCH_LIMIT,
    BatchAnswer,
    Confirmation,
    Erasure,
    EventAnswer,
    EventRequest,
    NextBestAction,
    NextBestActionRequest,
    NextBestActions,
    Ready,
    StoredDecision,
)

BODY_LIMIT = 1_000_000
"""Bytes that the service takes in one body, unless it was started with another limit."""

ONCE = Retries(most=0)

Shape = TypeVar("Shape", bound=BaseModel)
_Call = tuple[str, str]


class RettidClient:
    """Calls the service; safe to share between threads, and a context manager that closes its connections.

    Parameters
    ----------
    base_url
        Where the service is, such as `https://rettid.example`.
    key
        The key from `rettid keys add`; None where whoever stands before the service says who calls.
    timeout_s
        For each step of one try (connecting, sending, the answer); `retries` has the deadline of a call with all its tries.
    transport, means
        Handed in by tests, and where certificates or proxies need care.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: str | None = None,
        timeout_s: float = 2.0,
        retries: Retries | None = None,
        transport: httpx2.BaseTransport | None = None,
        means: Means | None = None,
    ) -> None:
        headers = {"Accept": "application/json"} | ({} if key is None else {"Authorization": f"Bearer {key}"})
        self._http = httpx2.Client(base_url=base_url, headers=headers, transport=transport)
        self._timeout_s = timeout_s
        self._retries = retries or Retries()
        self._means = means or Means()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def next_best_action(
        self,
        debtor_id: str,
        *,
        claim_ids: Sequence[str] | None = None,
        as_of: datetime | None = None,
        channels: Sequence[str] | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        explain: bool = False,
        replace: bool = False,
    ) -> NextBestAction:
        """Whether, how and when to contact a debtor next.

        A `degraded` answer is one: no contact, nothing logged, ask again at `valid_until`.

        Raises
        ------
        serving.client_problems.NotKnown
            The service has not been told of the debtor.
        serving.client_problems.Problem, serving.client_problems.NoAnswer
            As every call.
        """
        given: dict[str, object] = {
            "debtor_id": debtor_id,
            "claim_ids": claim_ids,
            "as_of": as_of,
            "channels": channels,
        }
        given |= {"not_before": not_before, "not_after": not_after, "explain": explain, "replace": replace}
        body = {name: value for name, value in given.items() if value is not None}
        return self._read(NextBestAction, self._post("/v1/next-best-action", body))

    def next_best_actions(self, requests: Iterable[NextBestActionRequest | str]) -> list[BatchAnswer]:
        """The same for many debtors, given as requests or identifiers: answers in order, each a result or an error.

        More than fit into one body are sent in parts. If a part fails its exception is raised, and what the parts before
        it decided is reserved: asked again, it is answered again.
        """
        entries = (
            to_json({"debtor_id": one}) if isinstance(one, str) else one.model_dump_json(exclude_defaults=True).encode()
            for one in requests
        )
        answers: list[BatchAnswer] = []
        for part in _parts(entries):
            body = b'{"requests":[' + b",".join(part) + b"]}"
            found = self._read(NextBestActions, self._sent(("POST", "/v1/next-best-actions"), body)).answers
            if len(found) != len(part):
                raise UnreadableAnswer(f"expected {len(part)} answers in the order asked, came {len(found)}")
            answers += found
        return answers

    def confirm(self, decision_id: str) -> Confirmation:
        """Leave to send a decision now; to be asked just before sending.

        Raises
        ------
        serving.client_problems.NotToBeSent
            Do not send it; its `reason` says why.
        """
        return self._read(Confirmation, self._post(f"/v1/decisions/{_in_path(decision_id)}/confirm", None))

    def tell(self, event_id: str, table: str, row: Mapping[str, object]) -> EventAnswer:
        """Tells one row of a contract table; on disk once answered, and counted once however often it is told.

        Parameters
        ----------
        event_id
            The caller's own name for the event, the same whenever it is told again.
        row
            Times as text or aware `datetime`, dates as text or `date`, money as text or `Decimal`.
        """
        return self._read(EventAnswer, self._post("/v1/events", {"event_id": event_id, "table": table, "row": row}))

    def tell_all(self, events: Iterable[EventRequest]) -> list[EventAnswer]:
        """Tells many in turn; after an exception all may be told again, and those taken already count once."""
        return [self.tell(event.event_id, event.table, event.row) for event in events]

    def decision(self, decision_id: str) -> StoredDecision:
        """A decision as stored, and what came of it."""
        return self._read(StoredDecision, self._sent(("GET", f"/v1/decisions/{_in_path(decision_id)}"), None))

    def erase(self, debtor_id: str) -> Erasure:
        """Erases a debtor, and says what was done and what is left to do elsewhere; takes a key of data protection.

        Raises
        ------
        serving.client_problems.NotKnown
            There is no such debtor, or it was erased before: by a try of this call whose answer was lost, perhaps.
        """
        return self._read(Erasure, self._sent(("DELETE", f"/v1/debtors/{_in_path(debtor_id)}"), None))

    def ready(self) -> Ready:
        """That the service can answer, and with which model; asked once, and NotNow where it cannot.

        Takes a key of operations.
        """
        return self._read(Ready, self._sent(("GET", "/readyz"), None, retries=ONCE))

    def _post(self, path: str, body: Mapping[str, object] | None) -> httpx2.Response:
        return self._sent(("POST", path), None if body is None else to_json(body))

    def _sent(self, call: _Call, body: bytes | None, *, retries: Retries | None = None) -> httpx2.Response:
        """The answer to a call; its key is drawn once, for all tries."""
        method, path = call
        headers = {} if method != "POST" else {"Idempotency-Key": self._means.new_key()}
        headers |= {} if body is None else {"Content-Type": "application/json"}

        def send(timeout_s: float) -> httpx2.Response:
            return self._http.request(method, path, content=body, headers=headers, timeout=timeout_s)

        return answered(send, timeout_s=self._timeout_s, retries=retries or self._retries, means=self._means)

    def _read(self, shape: type[Shape], answer: httpx2.Response) -> Shape:
        """The answer in its shape; what is wrong with it is told without what stands in it."""
        try:
            return shape.model_validate_json(answer.content)
        except ValidationError as error:
            where = ", ".join(sorted({".".join(map(str, one["loc"])) or "the whole" for one in error.errors()})[:5])
            raise UnreadableAnswer(
                f"expected {shape.__name__}, came something else: {where}; is this rettid?"
            ) from None


def _in_path(identifier: str) -> str:
    return quote(identifier, safe="")


def _parts(entries: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Entries in order, in lists that one body may hold.

    >>> [len(part) for part in _parts([b"{}"] * 2_001)]
    [1000, 1000, 1]
    """
    part: list[bytes] = []
    size = around = len(b'{"requests":[]}')
    for entry in entries:
        if part and (len(part) == BATCH_LIMIT or size + len(entry) + 1 > BODY_LIMIT):
            yield part
            part, size = [], around
        part.append(entry)
        size += len(entry) + 1
    if part:
        yield part
