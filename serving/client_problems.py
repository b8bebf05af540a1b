"""What a caller of the service is told when there is no answer: one exception, and others where the caller acts otherwise."""

from __future__ import annotations

import httpx2
from pydantic import ValidationError

from serving.problem_details import PREFIX, ProblemDetails


class NoAnswer(ConnectionError):
    """The service could not be reached, or did not answer in time: whether the last try had an effect is not known.

    Nothing may be sent to a debtor on the strength of it. The same call may be made again later: it counts once.
    """


class UnreadableAnswer(ValueError):
    """The service answered with something that is not the answer to this call."""


class Problem(Exception):
    """The service answered with a problem.

    Parameters
    ----------
    details
        What was wrong, where, and what would be right; nothing in it repeats what was sent.
    """

    def __init__(self, details: ProblemDetails) -> None:
        remedy = f" ({details.remedy})" if details.remedy else ""
        super().__init__(f"{details.status} {details.title}: {details.detail}{remedy}")
        self.details = details

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.details.status

    @property
    def kind(self) -> str:
        """The kind of problem, such as `invalid`; empty where whoever answered was not our service."""
        return self.details.type.removeprefix(PREFIX) if self.details.type.startswith(PREFIX) else ""


class NotToBeSent(Problem):
    """A decision may not be sent: leave the contact out, and ask for the next best action."""

    @property
    def reason(self) -> str:
        """Why, such as `paid`, `disputed`, `opted_out`, `past_valid_until`, or the name of a rule."""
        return self.details.reason or ""


class NotAdmitted(Problem):
    """The key is not good (401), or not for this call (403): somebody has to look after it."""


class NotKnown(Problem):
    """There is no such debtor or decision: tell the service of the debtor first."""


class NotNow(Problem):
    """Too much is asked, or the service cannot answer now (429, 503, 409 while it runs): make the call again later."""


_OF_KIND: dict[str, type[Problem]] = {"not-to-be-sent": NotToBeSent, "still-running": NotNow}
_OF_STATUS: dict[int, type[Problem]] = {
    401: NotAdmitted,
    403: NotAdmitted,
    404: NotKnown,
    429: NotNow,
    502: NotNow,
    503: NotNow,
    504: NotNow,
}


def problem_of(answer: httpx2.Response) -> Problem:
    """The exception for an answer that is none of success."""
    problem = Problem(_details(answer))
    kind = _OF_KIND.get(problem.kind) or _OF_STATUS.get(problem.status) or Problem
    return kind(problem.details)


def _details(answer: httpx2.Response) -> ProblemDetails:
    """The problem in an answer; a proxy's page is told by its status alone."""
    try:
        return ProblemDetails.model_validate_json(answer.content)
    except ValidationError:
        status = answer.status_code
        title = answer.reason_phrase or "No success"
        detail = "expected problem details from the service, came something else: is a proxy between?"
        return ProblemDetails(type="about:blank", title=title, status=status, detail=detail)
