# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Finding plugins, and saying what is wrong with those that cannot be used."""

import io
import sys
from importlib import import_module
from pathlib import Path

from twisted.logger import globalLogPublisher, textFileLogObserver
from twisted.trial.unittest import SynchronousTestCase

import quantum.plugins
from quantum.config import load
from quantum.interfaces import IPluginMaker, IQuantumPlugin, Surroundings
from quantum.makers import (
    AmbiguousPlugin,
    BrokenPlugin,
    NoSuchPlugin,
    NotAPlugin,
    find,
    make,
)
from quantum.plugins.builtin import Maker
from quantum.testing import MemoryPlugin

GOOD = """
from quantum.plugins.builtin import Maker
from quantum.testing import MemoryPlugin

green = Maker("green", lambda surroundings: MemoryPlugin())
again = green
"""


def surroundings(state_dir="state") -> Surroundings:
    """Make surroundings in which nothing is out of the ordinary."""
    config = load(settings=[f'daemon.state_dir="{state_dir}"'])
    return Surroundings(config=config, reactor=None, warn=lambda text: None)


class Folder:
    """A package of plugin modules, made for one test."""

    made = 0

    def __init__(self, case, **modules) -> None:
        Folder.made += 1
        name = f"plugins_of_test_{Folder.made}"
        top = Path(case.mktemp()).absolute()
        self.path = top / name
        self.path.mkdir(parents=True)
        for module, text in {"__init__": "", **modules}.items():
            (self.path / f"{module}.py").write_text(text)
        sys.path.insert(0, str(top))
        case.addCleanup(sys.path.remove, str(top))
        self.package = import_module(name)


class FindTests(SynchronousTestCase):
    """Which plugin a name stands for."""

    def test_shipped(self) -> None:
        """The plugins that come with Quantum are found."""
        for name in ("memory", "openvswitch"):
            maker = find(name, quantum.plugins)
            self.assertTrue(IPluginMaker.providedBy(maker))
            self.assertEqual(name, maker.name)

    def test_found_in_a_strange_module(self) -> None:
        """A module of somebody else's is found, under however many names."""
        folder = Folder(self, theirs=GOOD)
        plugin = make(find("green", folder.package), surroundings())
        self.assertTrue(IQuantumPlugin.providedBy(plugin))

    def test_no_such_plugin(self) -> None:
        """A misspelt name is answered with the nearest and with all there are."""
        with self.assertRaises(NoSuchPlugin) as caught:
            find("openvswich", quantum.plugins)
        text = str(caught.exception)
        self.assertIn("did you mean openvswitch?", text)
        self.assertIn("memory, openvswitch", text)

    def test_nothing_there(self) -> None:
        """Without any module, the message says that there is none."""
        with self.assertRaises(NoSuchPlugin) as caught:
            find("green", Folder(self).package)
        self.assertIn("can be: none", str(caught.exception))

    def test_broken_module(self) -> None:
        """A module that cannot be imported is named with its error."""
        folder = Folder(self, broken="import no_such_thing", worse="1 +")
        with self.assertRaises(BrokenPlugin) as caught:
            find("green", folder.package)
        text = str(caught.exception)
        self.assertIn(".broken (ModuleNotFoundError: No module named", text)
        self.assertIn(".worse (SyntaxError", text)

    def test_broken_module_of_another_plugin(self) -> None:
        """A module that nobody asked for may be as broken as it likes."""
        folder = Folder(self, broken="1 / 0", theirs=GOOD)
        self.assertEqual("green", find("green", folder.package).name)

    def test_ambiguous(self) -> None:
        """Two plugins of one name are refused, with the modules they are in."""
        folder = Folder(self, first=GOOD, second=GOOD)
        with self.assertRaises(AmbiguousPlugin) as caught:
            find("green", folder.package)
        text = str(caught.exception)
        self.assertIn(".first", text)
        self.assertIn(".second", text)

    def test_leaves_nothing_behind(self) -> None:
        """Nothing is written beside the modules, and nothing is complained of."""
        log = io.StringIO()
        observer = textFileLogObserver(log)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        folder = Folder(self, theirs=GOOD)
        find("green", folder.package)
        names = {path.name for path in folder.path.iterdir()} - {"__pycache__"}
        self.assertEqual({"__init__.py", "theirs.py"}, names)
        self.assertEqual("", log.getvalue())

    def test_folder_without_init(self) -> None:
        """A folder of the same package name elsewhere on the path adds to it."""
        top = Path(self.mktemp()).absolute()
        folder = top / "quantum" / "plugins"
        folder.mkdir(parents=True)
        (folder / "stranger.py").write_text(GOOD)
        quantum.plugins.__path__.append(str(folder))
        self.addCleanup(quantum.plugins.__path__.remove, str(folder))
        sys.path.append(str(top))
        self.addCleanup(sys.path.remove, str(top))
        self.assertEqual("green", find("green", quantum.plugins).name)


class MakeTests(SynchronousTestCase):
    """What a maker makes."""

    def test_not_a_plugin(self) -> None:
        """Something that lacks a verb is refused, and the verb is named."""

        class Half(MemoryPlugin):
            unplug = None

        with self.assertRaises(NotAPlugin) as caught:
            make(Maker("half", lambda _: Half()), surroundings())
        self.assertIn("unplug", str(caught.exception))
        with self.assertRaises(NotAPlugin) as caught:
            make(Maker("odd", lambda _: object()), surroundings())
        self.assertIn("the plugin odd does not", str(caught.exception))

    def test_memory(self) -> None:
        """The plugin without a switch records in the state directory."""
        folder = Path(self.mktemp()).absolute() / "50% \u00e4 #?"
        maker = find("memory", quantum.plugins)
        plugin = make(maker, surroundings(folder))
        self.addCleanup(plugin.stopService)
        self.assertEqual([], plugin.networks("tenant-a"))
        self.assertTrue((folder / "quantum.db").exists())
