# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What the ledger costs: ``python -m benchmarks.storage [ports ...]``.

For each number of ports: how long loading takes, what memory one attached port
takes, and what CPU and time a durable write and a read take beside them.
"""

import gc
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from quantum.model import AdminState
from quantum.plugins.memory import MemoryFabric
from quantum.plugins.recorded import RecordedPlugin
from quantum.storage.database import Database, file_url
from quantum.storage.ids import new_id
from quantum.storage.ledger import Ledger, Means
from quantum.storage.schema import networks, ports
from quantum.storage.upgrade import upgrade

PORTS_PER_NETWORK = 20
CLIENTS = 32
WRITES = 6400
READS = 100_000


def fill(path: Path, count: int) -> None:
    """Record attached ports without the ledger."""
    database = Database.open(file_url(str(path)))
    upgrade(database)
    ids = [new_id() for _ in range(count // PORTS_PER_NETWORK)]
    with database.engine.begin() as connection:
        rows = [
            {
                "id": i,
                "tenant_id": f"tenant-{n % 100}",
                "name": "n",
                "segment_id": n + 1,
            }
            for n, i in enumerate(ids)
        ]
        connection.execute(networks.insert(), rows)
        rows = [
            {
                "id": new_id(),
                "network_id": ids[n % len(ids)],
                "admin_state": "ACTIVE",
                "interface": str(uuid4()),
            }
            for n in range(count)
        ]
        connection.execute(ports.insert(), rows)
    database.close()


def resident() -> int:
    """Say how many bytes of memory this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def report(what: str, value: float, unit: str) -> None:
    """Print one line."""
    print(f"  {what:44} {value:10.2f} {unit}")


def measure(path: Path, count: int) -> None:
    """Load and use a ledger, in a process of its own."""
    gc.collect()
    empty, began = resident(), time.perf_counter()
    ledger = Ledger.open(file_url(str(path)), Means.of_daemon(reactor))
    report("load", time.perf_counter() - began, "s")
    report("resident memory per attached port", (resident() - empty) / count, "B")
    plugin = RecordedPlugin(ledger, MemoryFabric(ledger, ledger))
    plugin.startService()
    report("... after every port was reported", (resident() - empty) / count, "B")
    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(use(plugin)))
    reactor.run()


async def use(plugin: RecordedPlugin) -> None:
    """Write from many clients, then read."""
    network = await plugin.create_network("tenant-1", "new")
    where = ("tenant-1", network.id)

    async def client() -> None:
        for _ in range(WRITES // CLIENTS):
            await plugin.create_port(*where, AdminState.ACTIVE)

    wall, cpu, here = time.perf_counter(), time.process_time(), time.thread_time()
    await gatherResults([Deferred.fromCoroutine(client()) for _ in range(CLIENTS)])
    each = 1e6 / WRITES
    report("durable create_port, CPU", (time.process_time() - cpu) * each, "us")
    report(
        "... of it on the reactor's thread", (time.thread_time() - here) * each, "us"
    )
    report("... by the clock", (time.perf_counter() - wall) * each, "us")
    port_id = next(iter(plugin.ports(*where))).id
    cpu = time.process_time()
    for _ in range(READS):
        plugin.port(*where, port_id)
    report("read of a port, CPU", (time.process_time() - cpu) * 1e6 / READS, "us")
    await plugin.stopService()
    reactor.stop()


def main() -> None:
    """Measure each size in a child, so that none inherits another's memory."""
    for count in [int(word) for word in sys.argv[1:]] or [1000, 10_000, 100_000]:
        print(f"{count} attached ports, {count // PORTS_PER_NETWORK} networks")
        sys.stdout.flush()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "quantum.db"
            # Filled by another child: what it leaves in memory is not counted.
            for work in (fill, measure):
                child = os.fork()
                if child == 0:
                    work(path, count)
                    sys.stdout.flush()
                    os._exit(0)
                os.waitpid(child, 0)


if __name__ == "__main__":
    main()
