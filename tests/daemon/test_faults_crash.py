# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The daemon is killed, stopped and asked to end, while clients are at work."""

import http.client
import random
import re
import signal
import time
from contextlib import closing
from threading import Thread

from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from tests.daemon.scene import Scene, await_true
from tests.lab.ovs import OpenVSwitch

SEED = 20261122
LIVES = 4


@define
class Diary:
    """A client's own record of what it was answered, and of what it was not."""

    chosen: random.Random
    networks: dict = field(factory=dict)
    """The name of each network."""
    ports: dict = field(factory=dict)
    """For each port's path: network, state, attachment."""
    in_doubt: set = field(factory=set)
    """Networks and ports about which a question was not answered."""
    number: int = 0

    def step(self, client):
        """Ask one thing, and write the answer down."""
        self.number += 1
        free = [path for path, (_, _, vif) in self.ports.items() if vif is None]
        ways = [self.make_network]
        ways += [self.make_port, self.rename] * bool(self.networks)
        ways += [self.plug, self.switch, self.remove] * bool(free)
        ways += [self.unplug] * (len(free) < len(self.ports))
        self.chosen.choice(ways)(client, sorted(free))

    def ask(self, subject, client, *words):
        """Ask, and doubt the subject while there is no answer."""
        self.in_doubt.add(subject)
        reply = client(*words)
        assert reply.code < 300, reply
        self.in_doubt.discard(subject)
        return reply

    def make_network(self, client, _free):
        name = f"net {self.number}"
        body = {"network": {"name": name}}
        reply = self.ask(name, client, "POST", "/networks", body)
        self.networks[reply.json["network"]["id"]] = name

    def make_port(self, client, _free):
        network = self.chosen.choice(sorted(self.networks))
        body = {"port": {"state": "DOWN"}}
        where = f"/networks/{network}/ports"
        reply = self.ask(network, client, "POST", where, body)
        self.ports[f"{where}/{reply.json['port']['id']}"] = (network, "DOWN", None)

    def rename(self, client, _free):
        network = self.chosen.choice(sorted(self.networks))
        name = f"renamed {self.number}"
        body = {"network": {"name": name}}
        self.ask(network, client, "PUT", f"/networks/{network}", body)
        self.networks[network] = name

    def plug(self, client, free):
        path = self.chosen.choice(free)
        vif = f"vif {self.number}"
        body = {"attachment": {"id": vif}}
        self.ask(path, client, "PUT", f"{path}/attachment", body)
        self.ports[path] = (*self.ports[path][:2], vif)

    def switch(self, client, free):
        path = self.chosen.choice(free)
        state = self.chosen.choice(["ACTIVE", "DOWN"])
        self.ask(path, client, "PUT", path, {"port": {"state": state}})
        network, _, vif = self.ports[path]
        self.ports[path] = (network, state, vif)

    def remove(self, client, free):
        path = self.chosen.choice(free)
        self.ask(path, client, "DELETE", path)
        del self.ports[path]

    def unplug(self, client, free):
        path = self.chosen.choice(sorted(self.ports.keys() - free))
        self.ask(path, client, "DELETE", f"{path}/attachment")
        self.ports[path] = (*self.ports[path][:2], None)

    def compare(self, client):
        """Compare with what is recorded, except where there was no answer."""
        networks, ports = recorded(client)
        sure = {n: name for n, name in networks.items() if name not in self.in_doubt}
        for mine, found in ((self.networks, sure), (self.ports, ports)):
            doubtful = self.in_doubt | {
                path for path in found if path.split("/")[2:3] and self.is_doubted(path)
            }
            expected = {key: mine[key] for key in mine.keys() - doubtful}
            assert expected == {key: found[key] for key in found.keys() - doubtful}
        self.networks, self.ports = networks, ports
        self.in_doubt.clear()

    def is_doubted(self, path):
        """Whether a port may be the one that was not answered for."""
        return path not in self.ports and path.split("/")[2] in self.in_doubt


def recorded(client):
    """Read everything of the tenant."""
    networks, ports = {}, {}
    for network in client("GET", "/networks/detail").json["networks"]:
        networks[network["id"]] = network["name"]
        where = f"/networks/{network['id']}/ports"
        for found in client("GET", where).json["ports"]:
            path = f"{where}/{found['id']}"
            port = client("GET", f"{path}/detail").json["port"]
            vif = port.get("attachment", {}).get("id")
            ports[path] = (network["id"], port["state"], vif)
    return networks, ports


class CrashTests(SynchronousTestCase):
    """Nothing that was answered is lost."""

    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.strike)

    def test_killed_at_any_moment(self):
        """In a scenario of fifty calls a life, each answered call is remembered."""
        chosen = random.Random(SEED)  # noqa: S311  # a test that can be repeated
        diary = Diary(chosen)
        for _ in range(LIVES):
            self.scene.start()
            client = self.scene.client()
            diary.compare(client)
            for _ in range(chosen.randrange(10, 50)):
                diary.step(client)
            killer = Thread(target=self.kill_after, args=(chosen.random() * 0.02,))
            killer.start()
            with self.assertRaises((http.client.HTTPException, OSError)):
                while True:
                    diary.step(client)
            killer.join()
        self.assertGreater(diary.number, 50)

    def kill_after(self, seconds):
        time.sleep(seconds)
        self.scene.kill()

    def test_asked_to_end(self):
        """At SIGTERM what was accepted is recorded and answered, and no more."""
        self.scene.start()
        made = []
        clients = [Thread(target=self.work, args=(n, made)) for n in range(10)]
        for client in clients:
            client.start()
        await_true(lambda: len(made) > 200, "the clients are at work")
        self.assertEqual(-signal.SIGTERM, self.scene.end())
        for client in clients:
            client.join()
        self.scene.start()
        found, _ = recorded(self.scene.client())
        self.assertEqual(sorted(made), sorted(found.values()))
        self.assertNotIn("Traceback", self.scene.log)

    def work(self, number, made):
        """Make networks until the daemon is gone."""
        client = self.scene.client()
        for turn in range(100_000):
            name = f"{number}.{turn}"
            try:
                client.network(name)
            except (http.client.HTTPException, OSError):
                return
            made.append(name)

    def test_stopped_and_continued(self):
        """A daemon that was not let run for a while answers what was asked then."""
        self.scene.start()
        client = self.scene.client()
        client.network("before")
        self.scene.process.send_signal(signal.SIGSTOP)
        asking = Thread(target=client.network, args=("meanwhile",))
        asking.start()
        time.sleep(1)
        self.scene.process.send_signal(signal.SIGCONT)
        asking.join()
        networks, _ = recorded(client)
        self.assertEqual(["before", "meanwhile"], sorted(networks.values()))


class SwitchCrashTests(SynchronousTestCase):
    """What was answered is done, even if the daemon died before it was sent."""

    def test_killed_before_the_flows(self):
        """A port attached at the last moment is UP after the restart, another gone."""
        scene = Scene(ovs=OpenVSwitch.start())
        self.addCleanup(scene.strike)
        scene.start()
        ovs = scene.ovs
        await_true(lambda: "br-int" in ovs.vsctl("list-br"), "the bridge is there")
        for number in range(4):
            words = ("type=dummy", f"external_ids:iface-id=vif{number}")
            name = ("--", "set", "interface", f"p{number}")
            ovs.vsctl("add-port", "br-int", f"p{number}", *name, *words)
        client = scene.client()
        network = client.network()
        ports = [client.new_port(network) for _ in range(4)]
        for number in (0, 1):
            client.attach(ports[number], f"vif{number}")
        await_true(lambda: client.status(ports[1]) == "UP", "the ports are UP")
        client.close()
        expected = {0, 1}
        for plugged, free in ((2, 1), (3, 0)):
            expected = expected - {free} | {plugged}
            self.change_and_die(scene, ports[plugged], ports[free], f"vif{plugged}")
            self.assert_up(scene, ports, expected)

    def change_and_die(self, scene, port, other, attachment):
        """Plug an interface into one port and nothing into another, and crash."""
        client = scene.client()
        self.assertEqual(204, client.attach(port, attachment).code)
        self.assertEqual(204, client("DELETE", f"{other}/attachment").code)
        scene.kill()
        client.close()
        scene.start()

    def assert_up(self, scene, ports, expected):
        """Exactly these ports are UP, and carry frames."""
        with closing(scene.client()) as client:
            await_true(
                lambda: all(client.status(ports[n]) == "UP" for n in expected),
                f"{expected} are UP",
            )
            up = {n for n, port in enumerate(ports) if client.status(port) == "UP"}
        self.assertEqual(expected, up)
        names = {f"p{n}" for n in expected}
        await_true(lambda: carrying(scene.ovs) == names, f"exactly {names} carry")

    def test_stopped_while_the_switch_waits(self):
        """A daemon that was suspended is connected again, or still."""
        scene = Scene(["openflow.echo_interval=0.3"], OpenVSwitch.start())
        self.addCleanup(scene.strike)
        scene.start()
        await_true(lambda: "is settled" in scene.log, "the switch is settled")
        scene.process.send_signal(signal.SIGSTOP)
        time.sleep(2)
        scene.process.send_signal(signal.SIGCONT)
        with closing(scene.client()) as client:
            network = client.network()
            port = client.new_port(network)
            client.attach(port, "vif1")
            words = ("--", "set", "interface", "p1", "type=dummy")
            claim = "external_ids:iface-id=vif1"
            scene.ovs.vsctl("add-port", "br-int", "p1", *words, claim)
            await_true(lambda: client.status(port) == "UP", "the port is UP")


def carrying(ovs):
    """Name the interfaces whose frames the switch takes."""
    listed = ovs.ofctl("show", "br-int")
    names = dict(re.findall(r"^ (\d+)\((p\d)\)", listed, re.MULTILINE))
    flows = "\n".join(ovs.flows("br-int"))
    return {names[n] for n in re.findall(r"priority=100,in_port=\"?(\d+)", flows)}
