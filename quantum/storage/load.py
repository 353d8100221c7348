# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Read everything that is recorded into memory, once, before anything listens."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from quantum.model import AdminState, Network, Port, Vlan
from quantum.storage.catalogue import Catalogue, unobserved
from quantum.storage.database import Database, DatabaseUnusable, advice
from quantum.storage.schema import networks, ports, released_segments, switches, vlans

PAGE = 10_000
"""Rows held as rows at a time: beyond that they would only be garbage."""


def load(database: Database) -> Catalogue:
    """
    Read the whole record.

    :raise DatabaseUnusable: It cannot be read.
    """
    catalogue = Catalogue()
    try:
        with _without_collection(), database.engine.connect() as connection:
            reader = connection.execution_options(yield_per=PAGE)
            _load_vlans(reader, catalogue)
            _load_networks(reader, catalogue)
            _load_ports(reader, catalogue)
            _load_rest(reader, catalogue)
    except (SQLAlchemyError, LookupError, ValueError) as problem:
        url = database.engine.url.render_as_string()
        raise DatabaseUnusable(url, advice(problem)) from None
    return catalogue


@contextmanager
def _without_collection() -> Iterator[None]:
    """Load without the collector looking again and again at what is never garbage."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def _load_vlans(connection: Connection, catalogue: Catalogue) -> None:
    """Read which segments have a VLAN."""
    names: dict[str, str] = {}
    for segment_id, physical_network, vlan_id in connection.execute(select(vlans)):
        shared = names.setdefault(physical_network, physical_network)
        catalogue.vlans.take(segment_id, Vlan(shared, vlan_id))


def _load_networks(connection: Connection, catalogue: Catalogue) -> None:
    """Read the networks."""
    columns = networks.c
    query = select(columns.id, columns.tenant_id, columns.name, columns.segment_id)
    tenants: dict[str, str] = {}
    for network_id, tenant_id, name, segment_id in connection.execute(
        query.order_by(columns.id)
    ):
        shared = tenants.setdefault(tenant_id, tenant_id)
        network = Network(network_id, shared, name, segment_id)
        vlan = catalogue.vlans.of(segment_id)
        catalogue.put_network(network if vlan is None else replace(network, vlan=vlan))


def _load_ports(connection: Connection, catalogue: Catalogue) -> None:
    """Read the ports, each network's together."""
    columns = ports.c
    query = select(
        columns.network_id, columns.id, columns.admin_state, columns.interface
    )
    states = {state.value: state for state in AdminState}
    for network_id, port_id, state, interface in connection.execute(
        query.order_by(columns.network_id, columns.id)
    ):
        shared = catalogue.expect_network(network_id).id
        admin_state = states[state]
        status = unobserved(admin_state, interface)
        catalogue.put_port(Port(port_id, shared, admin_state, interface, status))


def _load_rest(connection: Connection, catalogue: Catalogue) -> None:
    """Read the quarantined segments and the known switches."""
    catalogue.quarantined.update(connection.scalars(select(released_segments)))
    catalogue.segments.update(catalogue.quarantined)
    catalogue.switches.update(connection.scalars(select(switches)))
