"""Pages printed as PDF, where the system library for it is there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Printer:
    """Prints HTML as PDF, or says in `note` why it cannot."""

    print: Callable[[str], bytes] | None = None
    note: str | None = None

    @property
    def prints(self) -> bool:
        """Whether it can."""
        return self.print is not None

    def pdf(self, html: str) -> bytes:
        """A page as PDF; empty where it cannot be printed."""
        return self.print(html) if self.print is not None else b""


def printer(*, wanted: bool = True) -> Printer:
    """A printer; without one, the reason in words."""
    if not wanted:
        return Printer()
    try:
        import weasyprint  # noqa: PLC0415 - costly, and fails where the system library Pango is missing
    except OSError as error:
        return Printer(note=f"no PDF was made: the system library Pango is missing ({str(error).splitlines()[0]})")
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)  # it warns of each rule of CSS that is meant for screens only
    return Printer(lambda html: bytes(weasyprint.HTML(string=html).write_pdf()))
