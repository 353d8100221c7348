# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What goes into the distribution; `pyproject.toml` says everything else.

``twisted.plugins`` is Twisted's own package, so our one file is named as a
module: no ``__init__.py`` of ours can shadow Twisted's, and uninstalling takes
away that one file.
"""

from pathlib import Path

from setuptools import find_namespace_packages, setup

VERSION_LINE = '__version__ = "'
text = Path(__file__).with_name("quantum").joinpath("__init__.py").read_text("utf-8")

setup(
    version=text.partition(VERSION_LINE)[2].partition('"')[0],
    packages=find_namespace_packages(
        include=["quantum", "quantum.*", "ryu_apps", "ryu_apps.*"]
    ),
    package_data={"quantum": ["py.typed", "**/*.mako", "**/*.ini", "**/*.html"]},
    py_modules=["twisted.plugins.quantum_plugin"],
)
