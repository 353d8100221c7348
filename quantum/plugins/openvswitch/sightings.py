# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Where each interface is: nearly always one place, by mistake or migration more."""

from attrs import define, field

from quantum.plugins.openvswitch.switch import Switch

Place = tuple[Switch, str]
"""A switch, and the interface's name on it."""


@define
class Sightings:
    """
    The places of each attachment, in the order in which they were seen.

    The first place carries the traffic; the others are refused until it is gone.
    """

    _places: dict[str, tuple[Place, ...]] = field(factory=dict)

    def add(self, attachment: str, place: Place) -> None:
        """Take note that an interface was seen."""
        places = self._places.get(attachment, ())
        if place not in places:
            self._places[attachment] = (*places, place)

    def remove(self, attachment: str, place: Place) -> None:
        """Take note that an interface is gone."""
        places = tuple(p for p in self._places.get(attachment, ()) if p != place)
        if places:
            self._places[attachment] = places
        else:
            self._places.pop(attachment, None)

    def places(self, attachment: str) -> tuple[Place, ...]:
        """List where an interface is seen; the first place counts."""
        return self._places.get(attachment, ())
