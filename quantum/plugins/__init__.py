# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The plugins, found by `twisted.plugin`.

Third parties add theirs by a ``quantum/plugins/`` folder of their own, without
this file, anywhere on ``sys.path``.
"""

from twisted.plugin import pluginPackagePaths

__path__.extend(pluginPackagePaths(__name__))
__all__: list[str] = []
