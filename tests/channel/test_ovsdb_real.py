# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The OVSDB client and a real Open vSwitch with a simulated datapath."""

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from quantum.channel.ovsdb.bridge import WantedBridge
from quantum.channel.ovsdb.client import HypervisorClients, Places
from tests.channel.database import Listener
from tests.lab.ovs import OpenVSwitch

TARGET = "tcp:127.0.0.1:16653"
WANTED = WantedBridge("br-int", TARGET, "dummy")


class RealCase(TestCase):
    """One Open vSwitch, called host1, and what the listener is told."""

    timeout = 60
    wanted = WANTED

    def setUp(self) -> None:
        self.ovs = OpenVSwitch.start()
        self.addCleanup(self.ovs.stop)
        self.ovs.vsctl("set", "open", ".", "external_ids:system-id=host1")
        self.listener, self.warnings = Listener(), []

    def connect(self, *dial: str, listen: tuple[str, ...] = ()) -> HypervisorClients:
        """Start a client; it is stopped at the end."""
        service = HypervisorClients(
            reactor,
            Places(dial, listen),
            self.wanted,
            self.listener,
            self.warnings.append,
        )
        service.startService()
        self.addCleanup(self.stop, service)
        return service

    def dial(self) -> HypervisorClients:
        """Connect to this Open vSwitch."""
        return self.connect(f"unix:{self.ovs.socket}")

    async def stop(self, service: HypervisorClients) -> None:
        """Stop a client and wait until it has."""
        if service.running:
            await service.stopService()

    async def until(self, fact: Callable[[], Any]) -> None:
        """Wait until something is so; the test's own timeout is the limit."""
        while not fact():
            await deferLater(reactor, 0.005)

    async def until_told(self, kind: str) -> tuple[Any, ...]:
        """Wait for a call of the listener; what it was, and forget all calls."""
        await self.until(lambda: any(call[0] == kind for call in self.listener.calls))
        calls = self.listener.news()
        return next(call for call in calls if call[0] == kind)

    def history(self) -> str:
        """Every transaction of the database so far."""
        return self.ovs.run(
            "ovsdb-tool", "show-log", "-mm", f"{self.ovs.rundir}/conf.db"
        )

    def get(self, table: str, row: str, column: str) -> str:
        """Read one column with ``ovs-vsctl``."""
        return self.ovs.vsctl("get", table, row, column).strip().strip('"')

    def ofport(self, name: str) -> int:
        """The port number that was told for an interface, -1 if none was."""
        seen = self.listener.picture.get(name)
        return seen.ofport if seen else -1

    def plug(self, name: str, *words: str, ofport: int = 0) -> None:
        """Plug an interface into the bridge, as a hypervisor would."""
        request = [f"ofport_request={ofport}"] if ofport else []
        self.ovs.vsctl(
            *("add-port", "br-int", name, "--", "set", "interface", name),
            *("type=dummy", f"external_ids:iface-id=vif-{name}", *request, *words),
        )


class BridgeTests(RealCase):
    """The integration bridge is what it must be."""

    async def test_made(self) -> None:
        """A bridge that is not there is made complete."""
        self.dial()
        _, name, datapath_id, interfaces = await self.until_told("synced")
        self.assertEqual(("host1", []), (name, interfaces))
        self.assertEqual(
            f"{datapath_id:016x}", self.get("bridge", "br-int", "datapath_id")
        )
        self.assertEqual("secure", self.get("bridge", "br-int", "fail_mode"))
        self.assertEqual("dummy", self.get("bridge", "br-int", "datapath_type"))
        self.assertEqual(TARGET, self.ovs.vsctl("get-controller", "br-int").strip())
        row = self.get("bridge", "br-int", "controller").strip("[]")
        self.assertEqual("5000", self.get("controller", row, "inactivity_probe"))
        self.assertEqual("1000", self.get("controller", row, "max_backoff"))
        self.assertEqual([], self.warnings)

    async def test_no_hidden_flows(self) -> None:
        """Open vSwitch keeps no flows of its own for controllers and managers."""
        self.ovs.vsctl(
            *("add-br", "br-int", "--", "set", "bridge", "br-int"),
            *("datapath_type=dummy", "fail_mode=secure"),
            *("--", "set-controller", "br-int", "tcp:127.0.0.1:1"),
        )
        await self.until(lambda: "priority=180" in self.hidden_flows())
        self.dial()
        await self.until_told("synced")
        await self.until(lambda: "priority=180" not in self.hidden_flows())
        self.assertIn("disable-in-band", self.warnings[0])

    def hidden_flows(self) -> str:
        """Every flow of the bridge, those that no OpenFlow shows among them."""
        return self.ovs.appctl("bridge/dump-flows", "br-int")

    async def test_stays_itself(self) -> None:
        """A bridge that we made keeps its datapath id whatever is plugged in."""
        self.dial()
        _, _, datapath_id, _ = await self.until_told("synced")
        self.plug("p", 'mac="00:00:00:00:00:01"')
        self.ovs.kill("ovs-vswitchd")
        self.ovs.start_vswitchd()
        self.plug("late")
        await self.until(lambda: self.ofport("late") > 0)
        now = self.get("bridge", "br-int", "datapath_id")
        self.assertEqual(f"{datapath_id:016x}", now)
        self.assertEqual({"changed"}, {call[0] for call in self.listener.news()})

    async def test_one_transaction(self) -> None:
        """Making the bridge is one transaction; when all is right there is none."""
        service = self.dial()
        await self.until_told("synced")
        await self.stop(service)
        before = self.history()
        made = [part for part in before.split("\nrecord ") if "fail_mode=" in part]
        self.assertEqual(1, len(made))
        for words in ("name=br-int", "fail_mode=secure", "bridges=", TARGET):
            self.assertIn(words, made[0])
        self.dial()
        await self.until_told("synced")
        self.assertEqual(before, self.history())

    async def test_flows_stay(self) -> None:
        """Connecting to a bridge that is right flushes no flow."""
        service = self.dial()
        await self.until_told("synced")
        self.ovs.ofctl("add-flow", "br-int", "priority=7,actions=drop")
        await self.stop(service)
        self.dial()
        await self.until_told("synced")
        self.assertIn("priority=7", "".join(self.ovs.flows("br-int")))

    async def test_somebody_elses(self) -> None:
        """A bridge with another controller and protocols keeps both, and gains ours."""
        self.ovs.vsctl(
            *("add-br", "br-int", "--", "set", "bridge", "br-int"),
            *("datapath_type=dummy", "fail_mode=secure", "protocols=OpenFlow10"),
            *("other_config:disable-in-band=true", "--"),
            *("set-controller", "br-int", "tcp:127.0.0.1:9"),
        )
        self.ovs.vsctl(
            "add-port", "br-int", "p", "--", "set", "interface", "p", "type=dummy"
        )
        self.dial()
        await self.until_told("synced")
        await self.until(lambda: TARGET in self.ovs.vsctl("get-controller", "br-int"))
        self.assertIn("tcp:127.0.0.1:9\n", self.ovs.vsctl("get-controller", "br-int"))
        protocols = self.get("bridge", "br-int", "protocols")
        self.assertEqual("[OpenFlow10, OpenFlow13]", protocols)
        self.assertEqual([], self.warnings)

    async def test_standalone(self) -> None:
        """A bridge that somebody made standalone raises an alarm and is cured."""
        self.dial()
        await self.until_told("synced")
        self.ovs.vsctl("set-fail-mode", "br-int", "standalone")
        await self.until(lambda: self.get("bridge", "br-int", "fail_mode") == "secure")
        self.assertEqual(1, len(self.warnings))
        self.assertIn("fail_mode standalone", self.warnings[0])

    async def test_controller_removed(self) -> None:
        """A controller that somebody removes is put back."""
        self.dial()
        await self.until_told("synced")
        self.ovs.vsctl("del-controller", "br-int")
        await self.until(lambda: TARGET in self.ovs.vsctl("get-controller", "br-int"))

    async def test_bridge_removed(self) -> None:
        """A bridge that somebody deletes is made again, and told again."""
        self.dial()
        _, _, before, _ = await self.until_told("synced")
        self.ovs.vsctl("del-br", "br-int")
        self.assertEqual(before, (await self.until_told("switch gone"))[2])
        await self.until_told("synced")


class InterfaceTests(RealCase):
    """Which interface is where, as it changes."""

    async def test_before_and_after(self) -> None:
        """Interfaces are told whether they were plugged before or after us."""
        self.ovs.vsctl(
            *("add-br", "br-int", "--", "set", "bridge", "br-int"),
            *("datapath_type=dummy", "fail_mode=secure"),
            "other_config:disable-in-band=true",
        )
        self.plug("one", "external_ids:attached-mac=02:00:00:00:00:01", ofport=5)
        self.ovs.vsctl("add-port", "br-int", "idle")
        self.dial()
        await self.until_told("synced")
        one = self.listener.picture["one"]
        self.assertEqual(
            ("vif-one", 5, bytes([2, 0, 0, 0, 0, 1])),
            (one.attachment, one.ofport, one.mac),
        )
        self.assertEqual(["one"], list(self.listener.picture))
        self.plug("two", ofport=6)
        await self.until(lambda: self.ofport("two") == 6)

    async def test_late_port_number(self) -> None:
        """While Open vSwitch is down an interface has no port number yet."""
        self.dial()
        await self.until_told("synced")
        self.ovs.kill("ovs-vswitchd")
        self.ovs.vsctl(
            "--no-wait",
            "add-port",
            "br-int",
            "p",
            "--",
            "set",
            "interface",
            "p",
            "type=dummy",
            "external_ids:iface-id=v",
        )
        await self.until(lambda: "p" in self.listener.picture)
        self.assertEqual(0, self.listener.picture["p"].ofport)
        self.ovs.start_vswitchd()
        await self.until(lambda: self.ofport("p") > 0)

    async def test_changes(self) -> None:
        """An iface-id may change and go; a port may come back under another number."""
        self.dial()
        await self.until_told("synced")
        self.plug("p", ofport=5)
        await self.until(lambda: "p" in self.listener.picture)
        self.ovs.vsctl("set", "interface", "p", "external_ids:iface-id=other")
        await self.until(lambda: self.listener.picture["p"].attachment == "other")
        self.ovs.vsctl("remove", "interface", "p", "external_ids", "iface-id")
        await self.until(lambda: "p" not in self.listener.picture)
        self.ovs.vsctl("del-port", "p")
        self.plug("p", ofport=9)
        await self.until(lambda: self.ofport("p") == 9)
        self.ovs.vsctl("del-port", "p")
        await self.until(lambda: "p" not in self.listener.picture)


class ConnectionTests(RealCase):
    """Coming, going and coming back."""

    async def test_database_restarted(self) -> None:
        """After the database server was killed everything is told again."""
        self.dial()
        await self.until_told("synced")
        self.plug("p")
        await self.until(lambda: "p" in self.listener.picture)
        self.ovs.kill("ovsdb-server")
        self.assertEqual(("lost", "host1"), await self.until_told("lost"))
        self.ovs.start_database()
        self.ovs.vsctl(
            "--no-wait", "set", "interface", "p", "external_ids:iface-id=new"
        )
        told = await self.until_told("synced")
        self.assertEqual("host1", told[1])
        await self.until(lambda: self.listener.picture["p"].attachment == "new")

    async def test_dialled(self) -> None:
        """A hypervisor may dial us; that is the same from then on."""
        path = f"{self.ovs.rundir}/us.sock"
        service = self.connect(listen=(f"punix:{path}", "ptcp:0:127.0.0.1"))
        listener = service.services[1]
        port = (await listener._waitingForPort).getHost().port
        self.ovs.vsctl("set-manager", f"tcp:127.0.0.1:{port}")
        self.assertEqual("host1", (await self.until_told("synced"))[1])
        await self.stop(service)
        self.assertEqual(("lost", "host1"), await self.until_told("lost"))

    async def test_twice(self) -> None:
        """A second connection to one hypervisor is refused, with one warning."""
        self.connect(f"unix:{self.ovs.socket}", f"unix:{self.ovs.socket}")
        await self.until_told("synced")
        await self.until(lambda: self.warnings)
        self.assertIn("hypervisor host1", self.warnings[0])
        self.plug("p")
        await self.until(lambda: "p" in self.listener.picture)
        self.assertEqual(1, len(self.warnings))

    async def test_named_late(self) -> None:
        """A hypervisor that gets its name while connected is told anew under it."""
        self.ovs.vsctl("remove", "open", ".", "external_ids", "system-id")
        self.dial()
        self.assertEqual(self.ovs.socket, (await self.until_told("synced"))[1])
        self.ovs.vsctl("set", "open", ".", "external_ids:system-id=late")
        self.assertEqual("late", (await self.until_told("synced"))[1])

    async def test_not_there_yet(self) -> None:
        """A socket that does not exist is waited for, with one warning."""
        self.ovs.kill("ovsdb-server")
        self.dial()
        await deferLater(reactor, 0.6)
        self.assertEqual(1, len(self.warnings))
        self.ovs.start_database()
        await self.until_told("synced")
