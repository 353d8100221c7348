# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What a request to the API costs, against a bare twisted.web resource.

CPU time per request, the least of many interleaved batches: GET and LIST on the
reactor's thread, POST of the whole process, so that the database's thread
counts.  A read is compared with a bare GET, a write with a bare POST of the same
body.  A POST is answered when it is durable (SQLite, synchronous=FULL), with 32
callers waiting at any time.  We write an access log, as the daemon does; the
yardstick writes none.  Run ``python -m benchmarks.requests``.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time, thread_time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater, react
from twisted.logger import globalLogBeginner, textFileLogObserver
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from benchmarks.inprocess import Caller, Volley
from quantum.api.accesslog import AccessLog
from quantum.api.compiled import CompiledKlein
from quantum.api.limits import Limits
from quantum.api.routes import Api
from quantum.api.site import ApiSite
from quantum.model import AdminState
from quantum.plugins.memory import MemoryFabric
from quantum.plugins.recorded import RecordedPlugin
from quantum.storage.database import file_url
from quantum.storage.ledger import Ledger, Means
from quantum.storage.thread import inline
from quantum.tap import _note_access as note_access

SIZES = (1_000, 10_000, 100_000)
PORTS_PER_NETWORK = 10
NETWORKS_PER_TENANT = 100
ROUNDS = 25
CALLERS = 32
HEADERS = b"Host: 127.0.0.1:9696\r\nUser-Agent: bench\r\nAccept: application/json\r\n"
GET, POST = "bare GET", "bare POST"
TARGETS = {
    "GET one network": (GET, 1.3),
    "LIST 100 networks": (GET, 2.0),
    "POST, durable": (POST, 3.0),
}


class Bare(Resource):
    """The yardstick: as little as twisted.web can do."""

    isLeaf = True

    def render(self, _request: Request) -> bytes:
        return b"." * 200


def tenants(ports: int) -> list[str]:
    """Name the tenants of a ledger of this size, of a hundred networks each."""
    count = ports // PORTS_PER_NETWORK // NETWORKS_PER_TENANT
    return [f"tenant-{number}" for number in range(count)]


def fill(url: str, ports: int) -> None:
    """Record networks of ten ports each, a hundred networks to a tenant."""
    clock = Clock()
    means = Means(clock=clock, in_thread=inline, queue_limit=ports)
    ledger = Ledger.open(url, means)
    for tenant in tenants(ports):
        for number in range(NETWORKS_PER_TENANT):
            ledger.record(ledger.drafts.create_network(tenant, f"network {number}"))
        clock.advance(1)
        for network in ledger.catalogue.networks(tenant):
            for _ in range(PORTS_PER_NETWORK):
                draft = ledger.drafts.create_port(tenant, network.id, AdminState.ACTIVE)
                ledger.record(draft)
        clock.advance(1)
    Deferred.fromCoroutine(ledger.close())


def get(path: str) -> bytes:
    """Make a GET as clients send it."""
    return b"GET %b HTTP/1.1\r\n%b\r\n" % (path.encode(), HEADERS)


def post(path: str, body: bytes) -> bytes:
    """Make a POST as clients send it."""
    return (
        b"POST %b HTTP/1.1\r\n%bContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (path.encode(), HEADERS, len(body), body)
    )


class Bench:
    """The same requests to the yardstick and to the API, turn by turn."""

    def __init__(self, reactor: Any, ledger: Ledger) -> None:
        log = AccessLog(reactor, note_access)
        plugin = RecordedPlugin(ledger, MemoryFabric(ledger, ledger))
        resource = CompiledKlein(Api(plugin).app)
        self._reactor = reactor
        self._ours = ApiSite(resource, Limits(), reactor, access_log=log)
        self._bare = Site(Bare(), reactor=reactor, parsePOSTFormSubmission=False)
        self._tenant = tenants(PORTS_PER_NETWORK * NETWORKS_PER_TENANT)[0]
        self._network = ledger.catalogue.networks(self._tenant)[0].id

    async def run(self) -> dict[str, tuple[float, float]]:
        """Give the microseconds of each kind: the yardstick's, and ours."""
        networks = f"/v1.1/tenants/{self._tenant}/networks"
        one = get(f"{networks}/{self._network}")
        create = post("/v1.1/tenants/poster/networks", b'{"network": {"name": "n"}}')
        bare = Caller(self._bare, _ignore)
        ours = Caller(self._ours, _ignore)
        bare_volley = Volley(self._reactor, self._bare, CALLERS)
        our_volley = Volley(self._reactor, self._ours, CALLERS)
        best = dict.fromkeys((GET, POST, *TARGETS), float("inf"))
        for _ in range(ROUNDS):
            costs = (
                _reads(bare, one, 400),
                await _writes(bare_volley, create, 640),
                _reads(ours, one, 400),
                _reads(ours, get(networks), 100),
                await _writes(our_volley, create, 640),
            )
            for name, cost in zip(best, costs, strict=True):
                best[name] = min(best[name], cost)
            await deferLater(self._reactor, 0)
        if not our_volley.were_told(b"202"):
            raise ValueError("a POST was refused")
        return {name: (best[bare], best[name]) for name, (bare, _) in TARGETS.items()}


async def _writes(volley: Volley, request: bytes, count: int) -> float:
    began = process_time()
    await volley.fire(request, count)
    return (process_time() - began) / count * 1e6


def _reads(caller: Caller, request: bytes, count: int) -> float:
    began = thread_time()
    for _ in range(count):
        caller.ask(request)
    cost = (thread_time() - began) / count * 1e6
    if not caller.was_told(b"200"):
        raise ValueError(caller.sink.head)
    return cost


def _ignore() -> None:
    """Take no notice of an answer."""


@contextmanager
def workplace() -> Iterator[Path]:
    """Make a folder, and let the process log into it as the daemon would."""
    with TemporaryDirectory(prefix="quantum-bench-") as name:
        folder = Path(name)
        with (folder / "log").open("w", encoding="utf-8") as log:
            observers = [textFileLogObserver(log)]
            globalLogBeginner.beginLoggingTo(observers, redirectStandardIO=False)
            yield folder


async def measure(reactor: Any, url: str, ports: int) -> None:
    """Measure at one size, and print its part of the table."""
    fill(url, ports)
    ledger = Ledger.open(url, Means.of_daemon(reactor))
    for what, (bare, ours) in (await Bench(reactor, ledger).run()).items():
        print(
            f"{ports:7}  {what:18}  {bare:7.1f}  {ours:7.1f}  {ours / bare:5.2f}"
            f"  <= {TARGETS[what][1]}",
            flush=True,
        )
    await ledger.close()


async def main(reactor: Any, *sizes: str) -> None:
    """Measure at each size, and print a table."""
    print(f"{'ports':>7}  {'what':18}  {'bare us':>7}  {'us':>7}  {'ratio':>5}  target")
    with workplace() as folder:
        for size in map(int, sizes or SIZES):
            await measure(reactor, file_url(str(folder / f"{size}.db")), size)


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor, *sys.argv[1:])))
