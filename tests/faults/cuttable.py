"""A line to PostgreSQL that can be cut, stalled or slowed: it passes bytes on, one thread for each direction."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import sqlalchemy as sa

CHUNK = 65_536
TURN_S = 0.02


@dataclass
class Cuttable:
    """The line; `cut` refuses and breaks connections, `stalled` keeps them and passes nothing, `delay_s` is added to each question."""

    host: str
    to_port: int
    port: int = 0
    cut: bool = False
    stalled: bool = False
    delay_s: float = 0.0
    _ends: list[socket.socket] = field(default_factory=list)
    _closing: bool = False

    def break_all(self) -> None:
        """Cuts every connection there is."""
        self.cut = True
        for one in self._ends:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._ends.clear()

    def mend(self) -> None:
        """As it should be again."""
        self.cut, self.stalled, self.delay_s = False, False, 0.0

    def listen(self, door: socket.socket) -> None:
        """Takes connections until the door is closed."""
        while not self._closing:
            try:
                near, _ = door.accept()
            except OSError:
                return
            if self.cut:
                near.close()
                continue
            try:
                far = socket.create_connection((self.host, self.to_port))
            except OSError:
                near.close()
                continue
            self._ends += [near, far]
            for source, sink, slow in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pass_on, args=(source, sink, slow), daemon=True).start()

    def close(self) -> None:
        """No more connections."""
        self._closing = True
        self.break_all()

    def _pass_on(self, source: socket.socket, sink: socket.socket, slow: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if slow and self.delay_s:
                    time.sleep(self.delay_s)
                while self.stalled and not self.cut:
                    time.sleep(TURN_S)
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def cuttable(url: str) -> Iterator[tuple[Cuttable, str]]:
    """The line to a data base, and the data base's address through it."""
    found = sa.make_url(url)
    line = Cuttable(found.host or "127.0.0.1", found.port or 5432)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as door:
        line.port = door.getsockname()[1]
        thread = threading.Thread(target=line.listen, args=(door,), daemon=True)
        thread.start()
        try:
            yield line, found.set(host="127.0.0.1", port=line.port).render_as_string(hide_password=False)
        finally:
            line.close()
