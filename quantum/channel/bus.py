# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
How events reach os-ken applications on the reactor thread, one after the other.

os-ken gives each application a thread and a queue; here all share one queue and
no thread.  An event that an application's handler causes is handled after it,
never within it.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from attrs import define, field
from os_ken.base.app_manager import OSKenApp
from twisted.logger import Logger

log = Logger()


@define(eq=False)
class Bus:
    """The one queue."""

    _waiting: deque[tuple[Any, Any, Any]] = field(factory=deque)
    _holds: int = 0

    def put(self, app: Any, event: Any, state: Any) -> None:
        """Let an application handle an event, as soon as nobody handles one."""
        self._waiting.append((app, event, state))
        self._drain()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no application handle anything before the block ends."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            self._drain()

    def clear(self) -> None:
        """Forget what nobody has handled yet."""
        self._waiting.clear()

    def _drain(self) -> None:
        if self._holds:
            return
        self._holds += 1
        try:
            while self._waiting:
                app, event, state = self._waiting.popleft()
                for receive in list(app.get_handlers(event, state)):
                    call(app.name, receive, event)
        finally:
            self._holds -= 1


def call(name: str, receive: Any, event: Any) -> None:
    """Call an application's handler; whatever it raises stays here, logged."""
    try:
        receive(event)
    except Exception:  # noqa: BLE001  one application's fault ends no connection
        log.failure(
            "{app}: {receive} failed on {event}",
            app=name,
            receive=receive.__name__,
            event=type(event).__name__,
        )


class ReactorApp(OSKenApp):  # type: ignore[misc]  # os-ken has no types
    """
    What an application is mixed with so that it runs without a thread.

    It goes into the inheritance between the application and os-ken's base
    class: an application that calls ``super().start()`` comes here.
    """

    bus: Bus

    def start(self) -> None:
        """Do nothing: there is no thread to start."""

    def stop(self) -> None:
        """Receive nothing more."""
        self.is_active = False

    def _send_event(self, ev: Any, state: Any) -> None:
        if self.is_active:
            self.bus.put(self, ev, state)

    def send_request(self, req: Any) -> NoReturn:
        """Refuse: the answer could only be made by the thread that waits for it."""
        raise RuntimeError(
            f"{self.name}: send_request({type(req).__name__}) would wait for ever; "
            "send an event and handle its answer"
        )
