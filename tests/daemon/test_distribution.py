# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What ``pip install`` brings, takes away, and makes possible from any folder."""

import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

import pytest

from tests.daemon.process import ROOT, command, running

PACKAGES = ("quantum", "ryu_apps")
SOURCES = (*PACKAGES, "twisted")
FILES = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
OFFLINE = ("--no-deps", "--no-index", "--no-build-isolation", "--no-cache-dir")


def python(folder, *words):
    """Run a Python of some virtual environment; its output."""
    done = subprocess.run(
        [folder / "bin/python", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        cwd=folder,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module", name="wheel")
def build_wheel(tmp_path_factory):
    """Build a wheel from a copy of the tree, which stays as it is."""
    tree = tmp_path_factory.mktemp("tree")
    for name in SOURCES:
        rubbish = ignore_patterns("__pycache__", "dropin.cache")
        copytree(ROOT / name, tree / name, ignore=rubbish)
    for name in FILES:
        copy(ROOT / name, tree)
    python(Path(sys.prefix), "-m", "pip", "wheel", *OFFLINE, "-w", tree, tree)
    return next(tree.glob("*.whl"))


@pytest.fixture(scope="module", name="empty")
def make_empty_environment(tmp_path_factory):
    """
    Make an environment without Quantum in which Twisted is a file of its own.

    Twisted is copied because ours goes between its files; the other
    dependencies are found where the tests find them.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    inside = Path(python(folder, "-c", where).strip())
    ours = Path(sysconfig.get_path("purelib"))
    rubbish = ignore_patterns("dropin.cache")
    copytree(ours / "twisted", inside / "twisted", ignore=rubbish)
    # A plain path, not a site directory: .pth files in it are not followed.
    (inside / "others.pth").write_text(f"{ours}\n", encoding="utf-8")
    for name in ("twistd", "twist"):
        script = (Path(sys.prefix) / "bin" / name).read_text("utf-8")
        _, _, body = script.partition("\n")
        (folder / "bin" / name).write_text(f"#!{folder}/bin/python\n{body}", "utf-8")
        (folder / "bin" / name).chmod(0o755)
    return folder


def test_wheel_has_everything(wheel):
    """The wheel has every module, the migrations, and one file of Twisted's folder."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            assert str(path.relative_to(ROOT)) in names
    assert {name for name in names if name.startswith("twisted/")} == {
        "twisted/plugins/quantum_plugin.py"
    }
    assert "quantum/py.typed" in names
    assert any(
        name.startswith("quantum/storage/migrations/versions/") for name in names
    )


def test_wheel_has_nothing_else(wheel):
    """Tests, laboratories and caches stay at home."""
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    tops = {name for name in tops if not name.endswith(".dist-info")}
    assert tops == {"quantum", "ryu_apps", "twisted"}


def test_installed_daemon_serves_from_any_folder(wheel, empty):
    """Installed from the wheel, ``twistd quantum`` serves; uninstalled, it is gone."""
    before = {path for path in empty.rglob("*") if "__pycache__" not in path.parts}
    python(empty, "-m", "pip", "install", *OFFLINE, wheel)
    where = python(empty, "-c", "import quantum; print(quantum.__file__)")
    assert where.startswith(str(empty))
    with tempfile.TemporaryDirectory() as folder:
        program, *words = command("plugin.name=memory")
        words = [str(empty / "bin" / Path(program).name), *words]
        with running(words, Path(folder)) as daemon:
            status, _ = daemon.ask("GET", "/v1.1/tenants/acme/networks")
            assert status == 200
            assert "Traceback" not in daemon.end()
    python(empty, "-m", "pip", "uninstall", "-y", "quantum")
    after = {path for path in empty.rglob("*") if "__pycache__" not in path.parts}
    assert {path.name for path in after - before} <= {"dropin.cache"}
    assert before <= after
