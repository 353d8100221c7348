# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
When Python looks for garbage that refers to itself.

It looks at every object there is, and nobody is served meanwhile: 12 ms for what
is loaded at the start alone, each time that a storm of switches has made enough new
objects.  Most garbage refers to nothing that refers back, and goes without.
"""

import gc
from typing import Final

THRESHOLDS: Final = (700, 5, 1000)
"""
New objects until the youngest are looked at, how often that is done until those
that outlived it are looked at too, and how often that until all are: 0.5 ms at
most, but for the last, which comes after millions of objects.
"""


def collect_seldom() -> None:
    """Never look again at what there is now; look seldom at all that comes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
