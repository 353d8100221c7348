# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""House rules that the linters do not know."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("quantum", "ryu_apps", "twisted", "tests", "benchmarks")
MODULES = [ROOT / "setup.py"]
MODULES += sorted(path for name in FOLDERS for path in (ROOT / name).rglob("*.py"))
TEXTS = {path: path.read_text("utf-8") for path in MODULES}
LICENCE = (
    "# SPDX-FileCopyrightText: 2026 The Quantum authors\n"
    "# SPDX-License-Identifier: Apache-2.0\n"
)
FILE_LIMIT, TEST_FILE_LIMIT, FUNCTION_LIMIT = 400, 500, 40
LONG_FUNCTIONS: dict[str, str] = {
    # "path:function": "the reason why it reads better in one piece"
}

modules = pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(ROOT))
)


def functions(path):
    """List a module's functions as (lines, "path:name"); a docstring counts."""
    for node in ast.walk(ast.parse(TEXTS[path])):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{path.relative_to(ROOT)}:{node.name}"
            yield (node.end_lineno or 0) - node.lineno + 1, name


@modules
def test_licence(path):
    """Every module says whose it is and under which licence, in two lines."""
    assert TEXTS[path].startswith(LICENCE)


@modules
def test_docstrings(path):
    """Every module says what it is, and every test what it expects."""
    tree = ast.parse(TEXTS[path])
    assert ast.get_docstring(tree), "no module docstring"
    if path.name.startswith("test_"):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                assert ast.get_docstring(node), f"{node.name} has no docstring"


@modules
def test_file_length(path):
    """A file that has grown too long is several nouns."""
    is_test = path.is_relative_to(ROOT / "tests")
    limit = TEST_FILE_LIMIT if is_test else FILE_LIMIT
    assert len(TEXTS[path].splitlines()) <= limit


@modules
def test_function_length(path):
    """A function fits on one screen, or there is a reason."""
    long = {name: n for n, name in functions(path) if n > FUNCTION_LIMIT}
    assert long.keys() <= LONG_FUNCTIONS.keys(), long


@modules
def test_no_imitations(path):
    """Tests use verified fakes, never ``mock`` or a patched module."""
    for node in ast.walk(ast.parse(TEXTS[path])):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name.split(".")[-1] for alias in node.names}
            source = getattr(node, "module", None) or ""
            assert "mock" not in names | set(source.split(".")), f"line {node.lineno}"
        if isinstance(node, ast.Attribute | ast.arg):
            name = node.attr if isinstance(node, ast.Attribute) else node.arg
            assert name not in {"monkeypatch", "mocker"}, f"line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_self = getattr(node.func.value, "id", "") == "self"
            assert not (is_self and node.func.attr == "patch"), f"line {node.lineno}"


def test_longest_functions():
    """The ten longest functions are known (``pytest -s`` prints them)."""
    everything = sorted(found for path in MODULES for found in functions(path))
    print()  # noqa: T201  # the list is for whoever asks for it
    for lines, name in reversed(everything[-10:]):
        print(f"{lines:4}  {name}")  # noqa: T201
    gone = LONG_FUNCTIONS.keys() - {name for _, name in everything}
    assert not gone, f"the list of reasons names what is no longer there: {gone}"
