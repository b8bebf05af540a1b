"""Settings of access: cookies, how long things last, limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from serving.access.passwords import PasswordCost
from serving.access.rates import RateLimits

COOKIE, FORM_COOKIE = "rettid", "rettid-form"


class BadAccessSettings(ValueError):
    """A setting of access under which its promises could not be kept."""


@dataclass(frozen=True)
class AccessSettings:
    """How access is given.

    Parameters
    ----------
    secure_cookies
        False only for plain HTTP on loopback: browsers then take cookies that are not bound to HTTPS.
    session_hours
        How long a browser stays signed in.
    cached_s
        How long what the store said of a key stands; under one second.
    outage_grace_s
        How long a key that was good goes on while the store cannot be asked; 0: such calls fail.
    """

    secure_cookies: bool = True
    session_hours: float = 8.0
    cached_s: float = 0.5
    outage_grace_s: float = 0.0
    password_cost: PasswordCost = field(default_factory=PasswordCost)
    rates: RateLimits = field(default_factory=RateLimits)

    def __post_init__(self) -> None:
        if not 0 < self.cached_s < 1:
            raise BadAccessSettings(
                f"expected cached_s above 0 and below 1, came {self.cached_s}: a revoked key must be refused within a second"
            )
        if self.session_hours <= 0 or self.outage_grace_s < 0:
            raise BadAccessSettings(
                "expected session_hours above 0 and outage_grace_s of at least 0, "
                f"came {self.session_hours} and {self.outage_grace_s}"
            )

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; a browser sends a `__Host-` one only where we set it, over HTTPS."""
        return f"__Host-{COOKIE}" if self.secure_cookies else COOKIE

    @property
    def form_cookie(self) -> str:
        """Name of the cookie that the sign-in form belongs to."""
        return f"__Host-{FORM_COOKIE}" if self.secure_cookies else FORM_COOKIE


USUAL = AccessSettings()
