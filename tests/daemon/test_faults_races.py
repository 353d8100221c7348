# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Clients that want what cannot be had together, at once and over REST."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from twisted.trial.unittest import SynchronousTestCase

from tests.daemon.scene import PATIENCE, Scene

ROUNDS = 25


class RaceTests(SynchronousTestCase):
    """Exactly one wins, the others are told, and all views agree afterwards."""

    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.scene.start()
        cls.pool = ThreadPoolExecutor(8)

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown()
        cls.scene.strike()

    def setUp(self):
        self.client = self.scene.client()
        self.addCleanup(self.client.close)
        self.racers = [self.scene.client() for _ in range(8)]
        for racer in self.racers:
            self.addCleanup(racer.close)
            racer("GET", "/networks")  # they are connected before the race begins

    def race(self, *calls):
        """Make calls at the same moment; their answers."""
        line = Barrier(len(calls))

        def run(racer, call):
            line.wait(PATIENCE)
            return racer(*call)

        racers = self.racers[: len(calls)]
        return [reply.code for reply in self.pool.map(run, racers, calls)]

    def attachment_of(self, port):
        """Read what is plugged into a port, in each way it can be read."""
        shown = self.client("GET", f"{port}/attachment").json["attachment"].get("id")
        detail = self.client("GET", f"{port}/detail").json["port"].get("attachment", {})
        self.assertEqual(shown, detail.get("id"))
        return shown

    def test_attach_twice(self):
        """Of many ports that want one interface, one gets it."""
        network = self.client.network()
        ports = [self.client.new_port(network) for _ in self.racers]
        for number in range(ROUNDS):
            body = {"attachment": {"id": f"vif{number}"}}
            calls = [("PUT", f"{port}/attachment", body) for port in ports]
            codes = self.race(*calls)
            self.assertEqual(Counter({204: 1, 409: len(ports) - 1}), Counter(codes))
            winner = ports[codes.index(204)]
            plugged = [self.attachment_of(port) for port in ports]
            self.assertEqual([f"vif{number}"], [vif for vif in plugged if vif])
            self.assertEqual(f"vif{number}", self.attachment_of(winner))
            self.client("DELETE", f"{winner}/attachment")

    def test_attach_to_one_port(self):
        """Of many interfaces that want one port, one gets it."""
        port = self.client.new_port(self.client.network())
        for number in range(ROUNDS):
            vifs = [f"one{number}-{n}" for n in range(len(self.racers))]
            codes = self.race(
                *(
                    ("PUT", f"{port}/attachment", {"attachment": {"id": v}})
                    for v in vifs
                )
            )
            self.assertEqual(Counter({204: 1, 409: len(vifs) - 1}), Counter(codes))
            self.assertEqual(vifs[codes.index(204)], self.attachment_of(port))
            self.client("DELETE", f"{port}/attachment")

    def test_attach_against_delete(self):
        """A port is either plugged or deleted, never both."""
        network = self.client.network()
        for number in range(ROUNDS):
            port = self.client.new_port(network)
            body = {"attachment": {"id": f"doomed{number}"}}
            calls = [("PUT", f"{port}/attachment", body), ("DELETE", port)]
            codes = self.race(*(calls if number % 2 else calls[::-1]))
            attached, deleted = codes if number % 2 else codes[::-1]
            self.assertIn((attached, deleted), {(204, 409), (404, 204)})
            found = self.client("GET", port).code
            self.assertEqual(200 if attached == 204 else 404, found)
            if attached == 204:
                self.assertEqual(f"doomed{number}", self.attachment_of(port))

    def test_delete_network_against_create_port(self):
        """No port outlives its network, in whichever order they are done."""
        for number in range(ROUNDS):
            network = self.client.network()
            calls = [("DELETE", f"/networks/{network}")]
            where = f"/networks/{network}/ports"
            calls += [("POST", where, {"port": {"state": "ACTIVE"}})] * 5
            codes = self.race(*(calls if number % 2 else calls[::-1]))
            deleted = codes[0] if number % 2 else codes[-1]
            made = codes[1:] if number % 2 else codes[:-1]
            self.assertLessEqual(set(made), {202, 404} if deleted == 204 else {202})
            self.assertIn(deleted, {204, 409})
            found = self.client("GET", where)
            self.assertEqual(404 if deleted == 204 else 200, found.code)
            if deleted == 409:  # a port was on its way
                self.assertEqual(made.count(202), len(found.json["ports"]))
        self.assert_consistent()

    def test_delete_network_against_attach(self):
        """A network goes with its ports, or stays with what is plugged in."""
        for number in range(ROUNDS):
            network = self.client.network()
            port = self.client.new_port(network)
            body = {"attachment": {"id": f"late{number}"}}
            calls = [("PUT", f"{port}/attachment", body)]
            calls.append(("DELETE", f"/networks/{network}"))
            codes = self.race(*(calls if number % 2 else calls[::-1]))
            attached, deleted = codes if number % 2 else codes[::-1]
            self.assertIn((attached, deleted), {(204, 409), (404, 204)})
        self.assert_consistent()

    def assert_consistent(self):
        """What is listed can be shown, and is the same after a restart."""
        before = self.everything()
        self.scene.kill()
        self.scene.start()
        self.client.close()
        self.client = self.scene.client()
        self.assertEqual(before, self.everything())
        self.assertNotIn("Traceback", self.scene.log)

    def everything(self):
        """Read every network and port, by lists and one by one."""
        found = {}
        for network in self.client("GET", "/networks/detail").json["networks"]:
            where = f"/networks/{network['id']}"
            shown = self.client("GET", f"{where}/detail").json["network"]
            self.assertEqual(network["name"], shown["name"])
            listed = self.client("GET", f"{where}/ports").json["ports"]
            ids = {port["id"] for port in listed}
            self.assertEqual(ids, {port["id"] for port in shown["ports"]})
            for port in ids:
                found[port] = self.client("GET", f"{where}/ports/{port}/detail").text
            found[network["id"]] = network["name"]
        return found
