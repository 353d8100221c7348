# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Find the plugin that the operator chose, or say what is wrong with it.

The package, its path and `IPlugin` are those of `twisted.plugin`, but
`getPlugins` itself will not do: it only logs a module that cannot be imported,
trusts a cache that may be stale, and complains where it cannot write one, which
is wherever Quantum is installed for all users.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from types import ModuleType

from attrs import define, frozen
from twisted.python.modules import getModule
from zope.interface.exceptions import Invalid
from zope.interface.verify import verifyObject

from quantum.errors import QuantumError
from quantum.interfaces import IPluginMaker, IQuantumPlugin, Surroundings


class PluginUnusable(QuantumError):
    """The chosen plugin cannot be used; the message says what to fix."""


@frozen
class NoSuchPlugin(PluginUnusable):
    """No module offers a plugin of this name."""

    name: str
    found: tuple[str, ...]

    def __str__(self) -> str:
        near = get_close_matches(self.name, self.found, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        there = ", ".join(self.found) or "none"
        return f"no plugin is named {self.name}; {hint}[plugin] name can be: {there}"


@frozen
class BrokenPlugin(PluginUnusable):
    """A module that may offer the plugin cannot be imported."""

    name: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"no working module offers the plugin {self.name}; repair or remove "
            + "; ".join(self.problems)
        )


@frozen
class AmbiguousPlugin(PluginUnusable):
    """Several plugins have this name."""

    name: str
    modules: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"several plugins are named {self.name}; remove all but one of the "
            f"modules {', '.join(self.modules)}"
        )


@frozen
class NotAPlugin(PluginUnusable):
    """What a maker made is not a plugin."""

    name: str
    problem: str

    def __str__(self) -> str:
        return (
            f"the plugin {self.name} does not provide IQuantumPlugin, which its "
            f"author must correct: {self.problem}"
        )


@define
class _Findings:
    """What the modules of a package offer."""

    makers: list[tuple[str, IPluginMaker]]
    problems: list[str]


def find(name: str, package: ModuleType) -> IPluginMaker:
    """
    Find the maker of the plugin called ``name``.

    A module that is broken matters only if it may be the one.

    :raise PluginUnusable: There is none, or more than one.
    """
    findings = _look(package)
    chosen = [(where, maker) for where, maker in findings.makers if maker.name == name]
    if len(chosen) > 1:
        raise AmbiguousPlugin(name, tuple(where for where, _ in chosen))
    if chosen:
        return chosen[0][1]
    if findings.problems:
        raise BrokenPlugin(name, tuple(findings.problems))
    raise NoSuchPlugin(name, tuple(sorted({m.name for _, m in findings.makers})))


def make(maker: IPluginMaker, surroundings: Surroundings) -> IQuantumPlugin:
    """
    Make the plugin, and check that it is one.

    :raise NotAPlugin: It lacks something of `IQuantumPlugin`.
    :raise QuantumError: It cannot work here; the message says what to fix.
    """
    plugin = maker.make(surroundings)
    try:
        verifyObject(IQuantumPlugin, plugin)
    except Invalid as problem:
        raise NotAPlugin(maker.name, str(problem).strip()) from None
    return plugin  # type: ignore[return-value]  # just verified


def _look(package: ModuleType) -> _Findings:
    """Import every module of the package and collect the makers in it."""
    findings = _Findings([], [])
    modules = {
        module.name: module for module in getModule(package.__name__).iterModules()
    }
    for name, module in sorted(modules.items()):
        try:
            loaded = module.load()
        except Exception as problem:  # noqa: BLE001  (a stranger's module may raise any)
            findings.problems.append(f"{name} ({type(problem).__name__}: {problem})")
        else:
            findings.makers += (
                (name, maker) for maker in _makers(vars(loaded).values())
            )
    return findings


def _makers(values: Iterable[object]) -> list[IPluginMaker]:
    """Pick the makers, each once however many names a module has for it."""
    makers = {id(v): v for v in values if IPluginMaker.providedBy(v)}
    return list(makers.values())
