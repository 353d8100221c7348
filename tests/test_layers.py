# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Who may import whom."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(p for d in ("quantum", "ryu_apps") for p in (ROOT / d).rglob("*.py"))
VALUES = {"attrs", "msgspec"}
SEAMS = {"attrs", "zope", "twisted.plugin", "quantum.config", "quantum.model"}
MAY = {  # besides the standard library; everything else is forbidden
    "quantum/model.py": VALUES,
    "quantum/errors.py": VALUES,
    "quantum/interfaces.py": SEAMS | {"quantum.openflow.facts"},
    "quantum/openflow/": VALUES | {"quantum.model", "quantum.openflow"},
    "ryu_apps/": {"os_ken", "quantum.openflow", "ryu_apps"},
}
LOWER = {"quantum.storage", "quantum.openflow", "quantum.plugins", "quantum.channel"}
NEVER = {
    "quantum/openflow/": {"time", "threading", "socket", "random", "asyncio"},
    "quantum/api/": LOWER | {"sqlalchemy", "alembic"},
    "quantum/storage/": {"quantum.api", "quantum.openflow", "quantum.channel", "klein"},
    "quantum/channel/": {"quantum.api", "quantum.storage", "klein", "sqlalchemy"},
    "quantum/": {"quantum.tap", "tests"},
}
ONLY = {
    "os_ken": ("quantum/channel/", "ryu_apps/"),
    "eventlet": (),
    "twisted.internet.reactor": ("quantum/tap.py",),
}


def imports(path: Path) -> set[str]:
    """List what a module imports, by full dotted names."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert not getattr(node, "level", 0), "relative imports hide the layer"
            source = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            names |= {source + alias.name for alias in node.names}
    return names


def within(name: str, packages: set[str]) -> bool:
    """Say whether a name is one of the packages or inside one."""
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_module_keeps_its_layer(path):
    """A module imports only what its layer may know."""
    where = str(path.relative_to(ROOT))
    for name in imports(path):
        is_foreign = name.split(".")[0] not in sys.stdlib_module_names
        may = [allowed for layer, allowed in MAY.items() if where.startswith(layer)]
        never = [names for layer, names in NEVER.items() if where.startswith(layer)]
        only = [homes for package, homes in ONLY.items() if within(name, {package})]
        assert not is_foreign or all(within(name, allowed) for allowed in may), name
        assert not any(within(name, names) for names in never), name
        assert all(where.startswith(homes) for homes in only), name
