# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""How an error is answered: in the dialect of the path, in the caller's format."""

from collections.abc import Callable
from itertools import count
from secrets import token_hex

from attrs import frozen
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest

from quantum.api import wire
from quantum.api.dialects import V1_1, Dialect, spoken
from quantum.api.faults import UNFORESEEN, Fault, fault_of
from quantum.api.negotiation import JSON, Format, chosen
from quantum.api.wire import shown
from quantum.errors import Overloaded

_log = Logger()
_process = token_hex(4)
_numbers = count(1)
_LONGEST_DETAIL = 1000


@frozen
class Answer:
    """A whole answer, for whoever has no request yet to write it to."""

    code: int
    reason: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


AnswerTo = Callable[[bytes, bytes | None, bytes | None, BaseException], Answer]
"""
Answer an error in the words of the API and the format that a caller meant.

Given the path, the ``Content-Type`` and the ``Accept`` it sent, as far as they
arrived; it may have sent none of them.
"""


def answer_to(
    path: bytes,
    content_type: bytes | None,
    accept: bytes | None,
    error: BaseException,
) -> Answer:
    """
    Answer an error in the dialect of the path and the format of the request.

    Outside a version the answer is plain text.  An error nobody foresaw is
    logged, once, under the id that the answer bears.
    """
    fault, detail, headers = _described(error)
    dialect = spoken(path)
    if dialect is None:
        code, name = fault.v1_1[0], fault.v1_0[1]
        media_type = b"text/plain"
        body = f"{fault.message}\n{detail}\n".encode()
    else:
        code, name = fault.named(dialect)
        form = chosen(path, content_type, accept)
        media_type = form.media_type
        body = _written(form, dialect, (code, name), (fault.message, detail))
    headers.append((b"content-type", media_type))
    return Answer(code, name.encode(), tuple(headers), body)


def answer_in_json(
    path: bytes,  # noqa: ARG001  (as `answer_to`)
    content_type: bytes | None,  # noqa: ARG001
    accept: bytes | None,  # noqa: ARG001
    error: BaseException,
) -> Answer:
    """Answer an error outside any version, but as a fault document in JSON."""
    fault, detail, headers = _described(error)
    status = fault.v1_1[0], fault.v1_0[1]
    body = _written(JSON, V1_1, status, (fault.message, detail))
    headers.append((b"content-type", JSON.media_type))
    return Answer(status[0], status[1].encode(), tuple(headers), body)


def answer(
    request: IRequest, error: BaseException, answer_to: AnswerTo = answer_to
) -> bytes:
    """Set a request's status and headers for an error, and give the body."""
    answered = answer_to(
        request.path,
        request.getHeader(b"content-type"),
        request.getHeader(b"accept"),
        error,
    )
    request.setResponseCode(answered.code, answered.reason)
    for name, value in answered.headers:
        request.setHeader(name, value)
    request.setHeader(b"content-length", b"%d" % len(answered.body))
    return answered.body


def _described(error: BaseException) -> tuple[Fault, str, list[tuple[bytes, bytes]]]:
    """Find an error's fault, what to say of it, and the headers that go with it."""
    fault = fault_of(error)
    headers: list[tuple[bytes, bytes]] = []
    subject: object = error
    if fault is None:
        fault, subject = UNFORESEEN, _recorded(error)
        headers.append((b"x-openstack-request-id", str(subject).encode()))
    if isinstance(error, Overloaded):
        headers.append((b"retry-after", b"%d" % error.retry_after))
    return fault, shown(fault.detail(subject), _LONGEST_DETAIL), headers


def _written(
    form: Format, dialect: Dialect, status: tuple[int, str], words: tuple[str, str]
) -> bytes:
    """Write a fault document; which of its members a dialect has, it knows."""
    code, name = status
    message, detail = words
    members: dict[str, str | int] = {
        "name": name,
        "type": name,
        "code": code,
        "message": message,
        "detail": detail,
    }
    return wire.fault(form, dialect.faults, members, dialect.namespace)


def _recorded(error: BaseException) -> str:
    """Log an error nobody foresaw, and give the id under which it is found."""
    incident = f"req-{_process}-{next(_numbers)}"
    _log.failure(
        "{incident}: the request could not be answered",
        failure=Failure(error),
        incident=incident,
    )
    return incident
