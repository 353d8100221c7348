# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The one thread in which the database is written."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

Job = tuple[Callable[[], Any], Deferred[Any]]


@define
class DatabaseThread:
    """
    Runs one job after another, off the reactor's thread.

    A job may use nothing that the reactor's thread changes meanwhile.  Answers
    are given on the reactor's thread.
    """

    _reactor: IReactorFromThreads
    _jobs: "SimpleQueue[Job | None]" = field(factory=SimpleQueue, init=False)
    _thread: Thread | None = field(default=None, init=False)

    def run(self, job: Callable[[], Any]) -> Deferred[Any]:
        """Run a job when the earlier ones are done, and answer with its result."""
        if self._thread is None:
            # A daemon thread: an interpreter that ends without `stop` still ends.
            self._thread = Thread(target=self._work, name="database", daemon=True)
            self._thread.start()
        answer: Deferred[Any] = Deferred()
        self._jobs.put((job, answer))
        return answer

    def stop(self) -> None:
        """End the thread after the jobs it was given."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        """Run jobs until told to end."""
        while (task := self._jobs.get()) is not None:
            job, answer = task
            try:
                result = job()
            except BaseException:  # noqa: BLE001  (the caller is told, whatever it is)
                self._reactor.callFromThread(answer.errback, Failure())
            else:
                self._reactor.callFromThread(answer.callback, result)


def inline(job: Callable[[], Any]) -> Deferred[Any]:
    """Run a job here and now, for tests and tools without a running reactor."""
    return maybeDeferred(job)
