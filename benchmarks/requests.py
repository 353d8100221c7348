# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What a request to the API costs, against a bare twisted.web resource.

CPU time per request, the least of many interleaved batches: GET and LIST on the
reactor's thread, POST of the whole process, so that the database's thread
counts.  A POST is answered when it is durable (SQLite, synchronous=FULL), with
32 callers waiting at any time.  Run ``python -m benchmarks.requests``.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time, thread_time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater, react
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

SIZES = (1_000, 10_000, 100_000)
PORTS_PER_NETWORK = 10
NETWORKS_PER_TENANT = 100
ROUNDS = 25
HEADERS = b"Host: 127.0.0.1:9696\r\nUser-Agent: bench\r\nAccept: application/json\r\n"
TARGETS = {"GET one network": 1.3, "LIST 100 networks": 2.0, "POST, durable": 3.0}


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
        log = AccessLog(reactor, lambda _: None)
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
        volley = Volley(self._reactor, self._ours, 32)
        best = dict.fromkeys(("bare", *TARGETS), float("inf"))
        for _ in range(ROUNDS):
            costs = (
                _reads(bare, one, 400),
                _reads(ours, one, 400),
                _reads(ours, get(networks), 100),
                await self._writes(volley, create, 640),
            )
            for name, cost in zip(best, costs, strict=True):
                best[name] = min(best[name], cost)
            await deferLater(self._reactor, 0)
        return {name: (best["bare"], best[name]) for name in TARGETS}

    async def _writes(self, volley: Volley, request: bytes, count: int) -> float:
        began = process_time()
        await volley.fire(request, count)
        cost = (process_time() - began) / count * 1e6
        if not volley.were_told(b"202"):
            raise ValueError("a POST was refused")
        return cost


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


async def main(reactor: Any, *sizes: str) -> None:
    """Measure at each size, and print a table."""
    print(f"{'ports':>7}  {'what':18}  {'bare us':>7}  {'us':>7}  {'ratio':>5}  target")
    for size in map(int, sizes or SIZES):
        with TemporaryDirectory(prefix="quantum-bench-") as folder:
            url = file_url(str(Path(folder) / "quantum.db"))
            fill(url, size)
            ledger = Ledger.open(url, Means.of_daemon(reactor))
            for what, (bare, ours) in (await Bench(reactor, ledger).run()).items():
                print(
                    f"{size:7}  {what:18}  {bare:7.1f}  {ours:7.1f}  {ours / bare:5.2f}"
                    f"  <= {TARGETS[what]}",
                    flush=True,
                )
            await ledger.close()


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor, *sys.argv[1:])))
