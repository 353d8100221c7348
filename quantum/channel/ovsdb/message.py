# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of JSON-RPC 1.0 as OVSDB uses them (RFC 7047, 4)."""

from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from quantum.channel.ovsdb.faults import FailedOperation, Misspoken, TransactionRefused

_NOTHING = {b"", b"null"}
_Part = TypeVar("_Part")


class Message(Struct):
    """
    A request, a notification or an answer; which one is seen by its members.

    A member that is absent is empty.
    """

    id: Raw = Raw()
    method: str | None = None
    params: Raw = Raw(b"[]")
    result: Raw = Raw()
    error: Raw = Raw()

    @property
    def has_id(self) -> bool:
        """Notifications have none, or null."""
        return bytes(self.id) not in _NOTHING

    @property
    def is_refusal(self) -> bool:
        """An answer that is an error."""
        return bytes(self.error) not in _NOTHING


class Refusal(Struct):
    """An error as OVSDB writes it."""

    error: str
    details: str = ""


_message = msgspec.json.Decoder(Message)
_identifier = msgspec.json.Decoder(int)
_refusal: msgspec.json.Decoder[Refusal | str] = msgspec.json.Decoder(Refusal | str)
_results = msgspec.json.Decoder(list[Any])


def message(written: bytes) -> Message:
    """
    Read a message; its larger parts stay encoded.

    :raise Misspoken: It is none.
    """
    return _read(_message, written, "a message")


def identifier(written: Raw) -> int:
    """
    Read the id of an answer to a question of ours.

    :raise Misspoken: We give no such ids.
    """
    return _read(_identifier, written, "an answer's id")


def refusal(written: Raw) -> Refusal:
    """
    Read the error of an answer.

    :raise Misspoken: It is written in neither of the two known ways.
    """
    said = _read(_refusal, written, "an error")
    return Refusal(said) if isinstance(said, str) else said


def results(written: Raw, count: int) -> list[Any]:
    """
    Read what became of a transaction of ``count`` operations.

    :raise TransactionRefused: Nothing was changed.

    :raise Misspoken: It does not say.
    """
    found = _read(_results, written, "a result")
    failures = tuple(
        FailedOperation(i, str(one["error"]), str(one.get("details") or ""))
        for i, one in enumerate(found)
        if isinstance(one, dict) and one.get("error")
    )
    if failures:
        raise TransactionRefused(failures)
    if len(found) != count:
        raise Misspoken("a transaction has not one result per operation")
    return found


def _read(
    decoder: "msgspec.json.Decoder[_Part]", written: bytes | Raw, what: str
) -> _Part:
    try:
        return decoder.decode(written)
    except (ValueError, RecursionError) as problem:
        raise Misspoken(f"{what} cannot be understood: {problem}") from None
