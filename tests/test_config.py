# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The configuration: what is accepted, and how the rest is refused."""

import tomllib
from itertools import pairwise, takewhile
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.config import (
    LOCAL_OPEN_VSWITCH,
    Config,
    ConfigError,
    PhysicalNetwork,
    load,
)

SAMPLE = Path(__file__).parents[1] / "etc" / "quantum.toml"


class ConfigTests(SynchronousTestCase):
    """What follows from nothing, a file, and ``--set`` words."""

    def write(self, text):
        """Write a configuration file; its path."""
        path = Path(self.mktemp())
        path.write_text(text, encoding="utf-8")
        return str(path)

    def refusal(self, *settings, path=None):
        """Load what cannot be used; the message."""
        return str(self.assertRaises(ConfigError, load, path, settings))

    def test_defaults(self):
        """Without a file everything has its default."""
        self.assertEqual(Config(), load())

    def test_sample_is_the_defaults(self):
        """``etc/quantum.toml`` says exactly what would be without it."""
        self.assertEqual(Config(), load(str(SAMPLE)))

    def test_sample_is_complete(self):
        """``etc/quantum.toml`` shows every option, with a comment above it."""
        text = SAMPLE.read_text(encoding="utf-8")
        expected = {
            section: set(options)
            for section, options in msgspec.to_builtins(Config()).items()
        }
        shown = {name: set(options) for name, options in tomllib.loads(text).items()}
        self.assertEqual(expected, shown)
        lines = text.splitlines()
        for above, line in pairwise(lines):
            if " = " in line and not line.startswith("#"):
                self.assertTrue(above.startswith("# "), line)

    def test_sample_of_a_physical_network(self):
        """Its example of a physical network, uncommented, has every option."""
        lines = SAMPLE.read_text(encoding="utf-8").splitlines()
        begin = lines.index("# [openvswitch.physical_networks.external]")
        example = takewhile(bool, lines[begin:])
        path = self.write("\n".join(line.removeprefix("# ") for line in example))
        network = load(path).openvswitch.physical_networks["external"]
        shown = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        options = shown["openvswitch"]["physical_networks"]["external"]
        self.assertEqual(set(msgspec.to_builtins(PhysicalNetwork())), set(options))
        self.assertEqual("100-199, 300", str(network.pool))
        self.assertEqual(101, len(network.pool))

    def test_file_then_settings(self):
        """A word on the command line is stronger than the file."""
        path = self.write("[api]\nbody_limit = 1000\nrequest_deadline = 3\n")
        config = load(path, ["api.body_limit=2000", "plugin.name=memory"])
        self.assertEqual(2000, config.api.body_limit)
        self.assertEqual(3.0, config.api.request_deadline)
        self.assertEqual("memory", config.plugin.name)

    def test_last_setting_wins(self):
        """The same option twice: the last word counts."""
        self.assertEqual(
            "b", load(None, ["plugin.name=a", "plugin.name=b"]).plugin.name
        )

    def test_values_are_toml(self):
        """A value is read as TOML: numbers, booleans, lists, quoted strings."""
        config = load(
            None,
            [
                "api.insecure=true",
                "api.request_deadline = 1.5",
                'ovsdb.connect=["unix:/a.sock", "unix:/b.sock"]',
                'plugin.name="memory"',
            ],
        )
        self.assertTrue(config.api.insecure)
        self.assertEqual(1.5, config.api.request_deadline)
        self.assertEqual(["unix:/a.sock", "unix:/b.sock"], config.ovsdb.connect)
        self.assertEqual("memory", config.plugin.name)

    def test_bare_words_are_strings(self):
        """What is not TOML is a string as it stands, equals signs included."""
        for text in ("a.b.c", "/srv/q", "x=y", "2026-01-01", "1.2.3.4", "a\nb=1"):
            config = load(None, [f"daemon.state_dir={text}"])
            self.assertEqual(text, config.daemon.state_dir)

    def test_broken_quotes(self):
        """A value that began as TOML but is not is refused, not guessed at."""
        self.assertIn("not TOML", self.refusal('ovsdb.connect=["unix:/a'))
        self.assertIn("not TOML", self.refusal("ovsdb.connect=" + "[" * 9999))

    def test_not_a_setting(self):
        """A word without section, key or value is refused with the form."""
        for word in ("api", "api=1", "api.=1", ".listen=1", "api.listen", "=1", ""):
            self.assertIn("expected section.key=value", self.refusal(word))

    def test_unknown_option(self):
        """An unknown option is named, with the nearest and all that there are."""
        message = self.refusal("api.lisen=tcp:1")
        self.assertIn("no such option api.lisen; did you mean listen?", message)
        self.assertIn("body_limit, insecure, listen", message)

    def test_unknown_section(self):
        """So is an unknown section, in a file too."""
        path = self.write("[datbase]\nurl = ''\n")
        message = self.refusal(path=path)
        self.assertIn("no such section [datbase]; did you mean database?", message)

    def test_value_in_place_of_section(self):
        """A section that is a value is refused."""
        self.assertIn("must be a [section]", self.refusal(path=self.write("api = 1")))
        self.assertIn(
            "must be a [section]", self.refusal("api.x=1", path=self.write("api = 1"))
        )
        self.assertIn("must be a [section]", self.refusal(path=self.write("[[api]]")))

    def test_wrong_value(self):
        """A wrong value is shown with what would be right and the default."""
        for word, expected in (
            ("api.insecure=True", "api.insecure cannot be 'True': Expected bool"),
            ("api.body_limit=0", "Expected int >= 1 (the default is 1048576)"),
            ("api.body_limit=1.5", "Expected int"),
            (
                "openvswitch.absence_grace=-1",
                "Expected float >= 0.0 (the default is 30.0)",
            ),
            ("openvswitch.absence_grace=3601", "Expected float <= 3600.0"),
            ("openflow.echo_interval=nan", "openflow.echo_interval cannot be nan"),
            ("openflow.echo_interval=inf", "openflow.echo_interval cannot be inf"),
            (
                "ovsdb.connect=unix:/a",
                "Expected array, got str (the default is ['local']",
            ),
            ("ovsdb.listen=[1]", "ovsdb.listen cannot be [1]"),
            ("openvswitch.integration_bridge=a-name-of-16-chs", "length <= 15"),
            ("database.url=quantum.db", "database.url cannot be 'quantum.db'"),
        ):
            self.assertIn(expected, self.refusal(word))

    def test_unreadable_file(self):
        """A file that is missing, a folder, not UTF-8 or not TOML is refused."""
        self.assertIn("cannot read nowhere.toml", self.refusal(path="nowhere.toml"))
        self.assertIn("cannot read /", self.refusal(path="/"))
        path = Path(self.mktemp())
        path.write_bytes(b"\xff\xfe")
        self.assertIn("cannot read", self.refusal(path=str(path)))
        self.assertIn("is not TOML", self.refusal(path=self.write("[api")))
        self.assertIn("is not TOML", self.refusal(path=self.write("a=" + "[" * 9999)))

    @given(st.text())
    def test_any_word(self, word):
        """Whatever is typed, the answer is a configuration or a refusal."""
        try:
            load(None, [word, f"api.{word}", f"api.listen={word}"])
        except ConfigError as problem:
            self.assertTrue(str(problem))


class UsableTests(SynchronousTestCase):
    """What only makes sense together."""

    def refusal(self, *settings):
        """Load what cannot be used; the message."""
        return str(self.assertRaises(ConfigError, load, None, settings))

    def test_open_to_other_machines(self):
        """Without authentication the API listens beyond loopback only if told so."""
        message = self.refusal("api.listen=tcp:9696")
        self.assertIn("set api.insecure = true", message)
        load(None, ["api.listen=tcp:9696", "api.insecure=true"])
        load(None, ["api.listen=unix:/run/quantum.sock"])

    def test_operators_socket(self):
        """Operators connect below the state directory, unless it is elsewhere."""
        config = load(None, ["daemon.state_dir=/srv/a:b"])
        self.assertEqual("/srv/a:b/operator.sock", config.operator_socket)
        expected = "unix:/srv/a\\:b/operator.sock:mode=600:lockfile=0"
        self.assertEqual(expected, config.operator_listen)
        config = load(None, ["api.operator_listen=unix:/run/op.sock:mode=660"])
        self.assertEqual("/run/op.sock", config.operator_socket)
        expected = "unix:/run/op.sock:mode=660:lockfile=0"
        self.assertEqual(expected, config.operator_listen)

    def test_operators_socket_is_private(self):
        """What strangers could connect to is no socket for operators."""
        for text, expected in (
            ("tcp:9697:interface=127.0.0.1", "is no UNIX socket"),
            ("unix:/run/op.sock:mode=666", "lets every user of this machine connect"),
            ("unix:/run/op.sock:604", "lets every user of this machine connect"),
            ("unix:/run/op.sock:mode=rw", "is no endpoint"),
        ):
            message = self.refusal(f"api.operator_listen={text}")
            self.assertTrue(message.startswith("api.operator_listen: "), message)
            self.assertIn(expected, message)

    def test_bad_endpoints(self):
        """An endpoint that Twisted cannot read is refused, with its option's name."""
        for word in (
            "api.listen=tpc:9696",
            "openflow.listen=tcp:",
            'ovsdb.listen=["ptcp:6640"]',
            'ovsdb.connect=["local", "tcp:6640"]',
            "openvswitch.controller=tcp:6653",
        ):
            self.assertTrue(
                self.refusal(word).startswith(word.partition("=")[0] + ": ")
            )

    def test_controller_follows(self):
        """Switches are told to connect to where OpenFlow listens, or as configured."""
        self.assertEqual("tcp:127.0.0.1:6653", load().controller)
        config = load(None, ["openvswitch.controller=tcp:192.0.2.9:6633"])
        self.assertEqual("tcp:192.0.2.9:6633", config.controller)

    def test_controller_cannot_follow(self):
        """Other machines must be told an address that they can reach."""
        for word in (
            "openflow.listen=tcp:0:interface=127.0.0.1",
            'ovsdb.connect=["tcp:192.0.2.1:6640"]',
            'ovsdb.listen=["tcp:6640"]',
        ):
            self.assertIn("openvswitch.controller must say", self.refusal(word))
            load(None, [word, "openvswitch.controller=tcp:192.0.2.9:6653"])
            load(None, [word, "plugin.name=memory"])

    def test_local_open_vswitch(self):
        """``local`` is dialled only if its socket is there."""
        here = [f"unix:{LOCAL_OPEN_VSWITCH}"] if LOCAL_OPEN_VSWITCH.exists() else []
        self.assertEqual(here, load().ovsdb_endpoints)
        config = load(None, ['ovsdb.connect=["unix:/a.sock"]'])
        self.assertEqual(["unix:/a.sock"], config.ovsdb_endpoints)
