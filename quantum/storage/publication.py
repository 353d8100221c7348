# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What happens after a COMMIT: readers see it, then listeners hear of it."""

from collections.abc import Callable, Sequence

from attrs import define, field
from twisted.logger import Logger

from quantum.model import Change
from quantum.storage.batch import Failures
from quantum.storage.catalogue import Catalogue
from quantum.storage.outlook import Outlook
from quantum.storage.write import Write

_log = Logger()

Listener = Callable[[Sequence[Change]], None]


@define
class Publication:
    """Makes committed writes visible, in the order of their commits."""

    _catalogue: Catalogue
    _outlook: Outlook
    _listeners: list[Listener] = field(factory=list, init=False)

    def subscribe(self, listener: Listener) -> None:
        """Call ``listener`` with the changes of each batch from now on."""
        self._listeners.append(listener)

    def publish(self, writes: Sequence[Write], failures: Failures) -> list[object]:
        """
        Take a finished batch out of the outlook and show what was committed.

        :return: The answer to each write; a `QuantumError` is a refusal.
        """
        answers: list[object] = []
        changes: list[Change] = []
        for write, failure in zip(writes, failures, strict=True):
            self._outlook.remove(write)
            answer: object = failure
            if failure is None:
                change, answer = write.publish(self._catalogue)
                if change is not None:
                    changes.append(change)
            answers.append(answer)
        if changes:
            for listener in self._listeners:
                _tell(listener, changes)
        return answers


def _tell(listener: Listener, changes: Sequence[Change]) -> None:
    """Tell one listener; its failure concerns neither tenants nor other listeners."""
    try:
        listener(changes)
    except Exception:  # noqa: BLE001  (what was committed must still be answered)
        _log.failure("{listener} failed", listener=listener)
