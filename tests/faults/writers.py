"""Writers that keep a ledger: they tell, ask and confirm, and send again what they do not know the end of."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.faults.calls import Answer, Caller, decide, payment
from tests.faults.ledger import Ledger
from tests.faults.world import CLAIMS, claim_name

RETRY_S = 0.01


@dataclass
class Writer:
    """One writer with its own debtors; `ports` are services over one log, taken in turn where one does not answer.

    Parameters
    ----------
    refused
        Answers that are neither an acknowledgement nor a lawful refusal: they break the promise by themselves.
    """

    name: str
    ports: Sequence[int]
    key: str
    debtors: Sequence[str]
    stop: threading.Event
    rng: random.Random
    ledger: Ledger = field(default_factory=Ledger)
    refused: list[str] = field(default_factory=list)
    number: int = 0

    def run(self) -> None:
        """Writes until told to stop; what was begun is brought to its end."""
        self._callers = [Caller(port, self.key, timeout_s=20) for port in self.ports]
        self._turn = self.rng.randrange(len(self.ports))
        work = (self._tell, self._tell_once, self._decide_once, self._decide)
        while not self.stop.is_set():
            self.number += 1
            self.rng.choice(work)(f"{self.name}-{self.number}", self.rng.choice(self.debtors))
        for one in self._callers:
            one.close()

    def _tell(self, name: str, debtor: str, *, once: str | None = None) -> None:
        claim = claim_name(debtor, self.rng.randrange(CLAIMS))
        path, body = payment(name, debtor, claim, amount="0.01")
        self._until(lambda: self._post(path, body, once))
        self.ledger.events[name] = debtor

    def _tell_once(self, name: str, debtor: str) -> None:
        self._tell(name, debtor, once=name)

    def _decide_once(self, name: str, debtor: str) -> None:
        path, body = decide(debtor, replace=True)
        self._note(debtor, self._until(lambda: self._post(path, body, f"d-{name}")), once=True)

    def _decide(self, name: str, debtor: str) -> None:
        answer = self._post(*decide(debtor, replace=True), None)
        if answer is None:
            self.ledger.unknown[debtor] += 1
        elif answer.status == 200:
            self._note(debtor, answer, once=False)
        elif answer.status != 503:
            self.refused.append(f"{name}: {answer.status} {answer.body[:200]!r}")

    def _note(self, debtor: str, answer: Answer, *, once: bool) -> None:
        told = answer.json if answer.status == 200 else {"decision_id": None}
        if told["decision_id"] is None:
            # caution, and what was asked may yet be written: a request that waited too long is not taken back
            self.ledger.unknown[debtor] += 1
            return
        self.ledger.decisions[told["decision_id"]] = (debtor, len(told["claims"]))
        if told["channel"] != "none" and self.rng.random() < 0.5:
            path = f"/v1/decisions/{told['decision_id']}/confirm"
            answer = self._until(lambda: self._post(path, None, f"c-{told['decision_id']}" if once else None))
            if answer.status == 200:
                self.ledger.confirmed.add(told["decision_id"])

    def _post(self, path: str, body: object, once: str | None) -> Answer | None:
        answer = self._callers[self._turn].post(path, body, once=once)
        if answer is None:
            self._turn = (self._turn + 1) % len(self._callers)
        return answer

    def _until(self, post: Callable[[], Answer | None]) -> Answer:
        """The end of a request that may be sent again: the same one, until it is told."""
        while True:
            answer = post()
            if answer is not None and answer.status in (200, 409) and not _running(answer):
                return answer
            if answer is not None and answer.status not in (409, 503):
                self.refused.append(f"{answer.status} {answer.body[:200]!r}")
                return answer
            time.sleep(RETRY_S)


def _running(answer: Answer) -> bool:
    return answer.status == 409 and b"still-running" in answer.body


@contextmanager
def writing(writers: Sequence[Writer]) -> Iterator[None]:
    """All of them at work; on leaving, each has come to the end of what it had begun."""
    threads = [threading.Thread(target=one.run, name=one.name) for one in writers]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        for writer in writers:
            writer.stop.set()
        for one in threads:
            one.join()
