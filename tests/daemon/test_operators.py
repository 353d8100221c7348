# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The operators' socket of the real daemon, through crashes too."""

import json
import os
import random
import socket
import subprocess
import time
from pathlib import Path
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from tests.daemon.process import UnixConnection
from tests.daemon.scene import Scene, await_true
from tests.lab.ovs import OpenVSwitch

SEED = 20261122
LIVES = 3
NETWORKS = '{external={vlans=["100-999"]}, lab={target="br-lab"}}'
SETTINGS = (f"openvswitch.physical_networks={NETWORKS}",)


class OperatorCase(SynchronousTestCase):
    """Has a daemon and who may open its socket."""

    def setUp(self):
        self.scene = self.make_scene()
        self.addCleanup(self.scene.strike)
        self.scene.start()

    def make_scene(self):
        """Make a scene without a switch."""
        return Scene(SETTINGS)

    @property
    def path(self):
        """Where the socket is by default."""
        return Path(self.scene.folder) / "state" / "operator.sock"

    def ask(self, method, url, document=None):
        """Ask as an operator; the status and what was answered."""
        connection = UnixConnection(self.path)
        body = None if document is None else json.dumps(document)
        connection.request(method, url, body)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text)

    def bind(self, network, **vlan):
        """Bind a network; the status and what was answered."""
        wanted = {"vlan": {"physical_network": "external", **vlan}}
        return self.ask("PUT", f"/networks/{network}/vlan", wanted)

    def networks(self, count):
        """Make networks as a tenant; their ids."""
        client = self.scene.client()
        made = [client.network() for _ in range(count)]
        client.close()
        return made


class SwitchTests(OperatorCase):
    """With a switch there is something to be seen of it."""

    def make_scene(self):
        return Scene(SETTINGS, OpenVSwitch.start())

    def switches(self):
        return self.ask("GET", "/switches")[1]["switches"]

    def is_settled(self):
        (switch,) = self.switches()
        wanted = ("settled", switch["flows_wanted"])
        return wanted == (switch["phase"], switch["flows_installed"])

    def test_switch(self):
        """A switch is listed with its name, how it stands and what it has."""
        await_true(self.switches, "a switch is there")
        await_true(self.is_settled, "it is settled, and an audit has counted its flows")
        (switch,) = self.switches()
        self.assertEqual(16, len(switch["datapath_id"]))
        self.assertEqual(("", 0), (switch["last_error"], switch["drift"]))

    def test_mtu(self):
        """A network's MTU is a tunnel's, then that of what it is bound to."""
        (network,) = self.networks(1)
        client = self.scene.client()
        for expected in (1450, 1500):
            shown = client("GET", f"/networks/{network}").json["network"]
            self.assertEqual(expected, shown["mtu"])
            _, seen = self.ask("GET", f"/networks/{network}")
            self.assertEqual(expected, seen["network"]["mtu"])
            self.bind(network)
        client.close()


class OperatorsTests(OperatorCase):
    """Whoever may open the socket may bind networks."""

    def test_everything(self):
        """A network is shown, bound, and shown bound; switches are listed."""
        (network,) = self.networks(1)
        status, shown = self.ask("GET", f"/networks/{network}")
        self.assertEqual((200, None), (status, shown["network"]["vlan"]))
        status, bound = self.bind(network)
        expected = {"physical_network": "external", "vlan_id": 100}
        self.assertEqual((200, expected), (status, bound["network"]["vlan"]))
        self.assertEqual((200, bound), self.ask("GET", f"/networks/{network}"))
        self.assertEqual((200, {"switches": []}), self.ask("GET", "/switches"))
        status, refused = self.bind(network)
        self.assertEqual("alreadyBound", refused["QuantumError"]["type"])
        self.assertEqual(409, status)

    def test_with_curl(self):
        """Curl is all that an operator needs."""
        (network,) = self.networks(1)
        text = '{"vlan": {"physical_network": "lab", "vlan_id": 7}}'
        words = ["curl", "-sS", "--unix-socket", str(self.path), "-X", "PUT"]
        words += [f"http://operators/networks/{network}/vlan", "-d", text]
        said = subprocess.run(words, capture_output=True, check=True).stdout
        vlan = json.loads(said)["network"]["vlan"]
        self.assertEqual({"physical_network": "lab", "vlan_id": 7}, vlan)

    def test_nobody_else(self):
        """Only the daemon's own user can connect, and no tenant finds the paths."""
        self.assertEqual(0o600, self.path.stat().st_mode & 0o777)
        self.assertEqual(0o700, self.path.parent.stat().st_mode & 0o777)
        child = os.fork()
        if child == 0:
            os.setresuid(65534, 65534, 65534)
            try:
                socket.socket(socket.AF_UNIX).connect(str(self.path))
            except PermissionError:
                os._exit(0)
            os._exit(1)
        self.assertEqual((child, 0), os.waitpid(child, 0))
        client = self.scene.client()
        self.assertEqual(404, client("GET", "/../../../switches").code)
        client.close()

    def test_limits(self):
        """Bodies are bounded as tenants' are, and refused in JSON."""
        connection = UnixConnection(self.path)
        connection.putrequest("PUT", "/networks/x/vlan")
        connection.putheader("Content-Length", str(2 * 1024 * 1024))
        connection.endheaders()
        answer = connection.getresponse()
        refused = json.loads(answer.read())
        connection.close()
        self.assertEqual(413, answer.status)
        self.assertEqual("requestTooLarge", refused["QuantumError"]["type"])

    def test_killed(self):
        """What was answered is bound after `kill -9`, and no VLAN is two networks'."""
        chosen = random.Random(SEED)  # noqa: S311  (no secret)
        bound, asked = {}, []
        for _ in range(LIVES):
            networks = self.networks(60)
            asked += networks
            known = len(bound)
            writer = Thread(target=self.bind_all, args=(networks, bound))
            writer.start()
            await_true(lambda known=known: len(bound) > known + 5, "some are bound")
            time.sleep(chosen.uniform(0, 0.1))
            self.scene.kill()
            writer.join()
            self.assertTrue(self.path.is_socket())
            self.scene.start()
            self.compare(asked, bound)
        self.assertGreater(len(bound), 5 * LIVES)

    def bind_all(self, networks, bound):
        """Bind one after another until nobody answers, and note what was answered."""
        for network in networks:
            try:
                status, answer = self.bind(network)
            except OSError:
                return
            assert status == 200, answer
            bound[network] = answer["network"]["vlan"]["vlan_id"]

    def compare(self, asked, bound):
        """Compare what is bound with what was answered."""
        taken = []
        for network in asked:
            _, shown = self.ask("GET", f"/networks/{network}")
            vlan = shown["network"]["vlan"]
            if network in bound:
                self.assertEqual(bound[network], vlan["vlan_id"])
            if vlan is not None:
                taken.append(vlan["vlan_id"])
        self.assertEqual(len(taken), len(set(taken)))
