# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between us and an OVSDB server."""

from attrs import frozen


class OvsdbError(Exception):
    """Anything that an OVSDB conversation can fail with."""


@frozen
class Misspoken(OvsdbError):
    """The peer sent what no OVSDB server sends; ``problem`` says what."""

    problem: str

    def __str__(self) -> str:
        return self.problem


@frozen
class ConnectionDropped(OvsdbError):
    """The connection has ended, or was never good; ``reason`` says why."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@frozen
class RequestRefused(OvsdbError):
    """The server answered a request with an error."""

    method: str
    error: str
    details: str = ""

    def __str__(self) -> str:
        return f"{self.method}: {self.error}: {self.details}".rstrip(": ")


@frozen
class FailedOperation:
    """One error of a transaction; ``index`` counts its operations from 0."""

    index: int
    error: str
    details: str = ""


@frozen
class TransactionRefused(OvsdbError):
    """
    A transaction changed nothing.

    A failure whose index is the number of operations is the commit's own.
    """

    failures: tuple[FailedOperation, ...]

    @property
    def is_race(self) -> bool:
        """Somebody else was faster: a ``wait`` found another state."""
        return any(failure.error == "timed out" for failure in self.failures)

    def __str__(self) -> str:
        return "; ".join(
            f"operation {f.index}: {f.error}: {f.details}".rstrip(": ")
            for f in self.failures
        )
