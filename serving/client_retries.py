"""Sending a request until it is answered: which faults pass by themselves, how long to wait, and when to give up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

import httpx2

from serving.client_problems import NoAnswer, problem_of

PASSING = (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.ProxyError)
"""What a line raises when it fails: the request may or may not have been received."""

LATER = frozenset({429, 502, 503, 504})
"""Statuses that may pass by themselves; 409 does where the same request is still being answered."""

SHORTEST_S = 0.001
"""Time-out of a try where a sleep took longer than it was told to."""


class BadRetries(ValueError):
    """Settings with which no request could be sent."""


@dataclass(frozen=True)
class Retries:
    """How often and how long a request is sent.

    Parameters
    ----------
    most
        Tries after the first one.
    first_wait_s, longest_wait_s
        The wait before the second try, doubled before each further one, up to the longest; each is shortened by up to half at random,
        so that many clients do not come back together. A longer `Retry-After` is waited for.
    deadline_s
        For a call with all its tries and waits.

    >>> Retries(deadline_s=0)
    Traceback (most recent call last):
    serving.client_retries.BadRetries: expected deadline_s above 0, came 0
    """

    most: int = 5
    first_wait_s: float = 0.1
    longest_wait_s: float = 5.0
    deadline_s: float = 20.0

    def __post_init__(self) -> None:
        if self.most < 0:
            raise BadRetries(f"expected most of at least 0, came {self.most}")
        for name in ("first_wait_s", "longest_wait_s", "deadline_s"):
            if getattr(self, name) <= 0:
                raise BadRetries(f"expected {name} above 0, came {getattr(self, name)}")

    def wait_s(self, number: int, *, drawn: float) -> float:
        """The wait after the try of a number, from 0; `drawn` lies between 0 and 1.

        >>> Retries().wait_s(0, drawn=0.0), Retries().wait_s(1, drawn=1.0), Retries().wait_s(60, drawn=0.0)
        (0.1, 0.1, 5.0)
        """
        doublings = min(number, 32)  # a float has an end
        wait_s: float = min(self.first_wait_s * 2**doublings, self.longest_wait_s)
        return wait_s * (1.0 - drawn / 2.0)


def _new_key() -> str:
    return str(uuid4())


@dataclass(frozen=True)
class Means:
    """What a client takes from its surroundings, to be replaced in tests: a clock that only goes forward, sleep, chance."""

    monotonic_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = field(default_factory=lambda: random.Random().random)
    new_key: Callable[[], str] = _new_key


Send = Callable[[float], httpx2.Response]
"""Sends a request once, with a time-out in seconds."""


def answered(send: Send, *, timeout_s: float, retries: Retries, means: Means) -> httpx2.Response:
    """The answer of success to a request, sent again while what is wrong may pass.

    Raises
    ------
    serving.client_problems.Problem
        The service said no, or is not able to answer within the deadline.
    serving.client_problems.NoAnswer
        The line failed at each try.
    """
    end_s = means.monotonic_s() + retries.deadline_s
    number = 0
    while True:
        answer, fault = _tried(send, max(min(timeout_s, end_s - means.monotonic_s()), SHORTEST_S))
        if answer is not None and not _may_pass(answer):
            return _successful(answer)
        wait_s = max(retries.wait_s(number, drawn=means.draw()), _told_to_wait_s(answer))
        if number >= retries.most or means.monotonic_s() + wait_s >= end_s:
            if answer is not None:
                raise problem_of(answer)
            tries = "1 try" if number == 0 else f"{number + 1} tries"
            raise NoAnswer(f"no answer after {tries}: {type(fault).__name__}; call again later") from fault
        means.sleep(wait_s)
        number += 1


def _tried(send: Send, timeout_s: float) -> tuple[httpx2.Response | None, Exception | None]:
    try:
        return send(timeout_s), None
    except PASSING as fault:
        return None, fault


def _successful(answer: httpx2.Response) -> httpx2.Response:
    if not answer.is_success:
        raise problem_of(answer)
    return answer


def _may_pass(answer: httpx2.Response) -> bool:
    if answer.status_code == 409:
        return problem_of(answer).kind == "still-running"
    return answer.status_code in LATER


def _told_to_wait_s(answer: httpx2.Response | None) -> float:
    """Seconds that the answer says to wait; a date, which would need a clock that both sides share, says nothing."""
    told = "" if answer is None else answer.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() and len(told) < 10 else 0.0
