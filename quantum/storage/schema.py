# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The tables, built once.

What tenants asked is here; how far reality has come is not: facts are observed
anew after every start, never remembered.  Nothing here is particular to one
database; that is in `quantum.storage.database`.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

networks = Table(
    "networks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("tenant_id", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("segment_id", Integer, nullable=False, unique=True),
)

ports = Table(
    "ports",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("network_id", String(36), ForeignKey("networks.id"), nullable=False),
    Column(
        "admin_state",
        String(6),
        CheckConstraint("admin_state IN ('ACTIVE', 'DOWN')", name="admin_state"),
        nullable=False,
    ),
    Column("interface", String(255), unique=True),
    Index(None, "network_id", "id"),
)

# Segments of deleted networks whose flows may still be on a switch.
released_segments = Table(
    "released_segments",
    metadata,
    Column("segment_id", Integer, primary_key=True, autoincrement=False),
)

# By segment, because a VLAN rests in quarantine as long as its segment does.
vlans = Table(
    "vlans",
    metadata,
    Column("segment_id", Integer, primary_key=True, autoincrement=False),
    Column("physical_network", String(64), nullable=False),
    Column(
        "vlan_id",
        Integer,
        CheckConstraint("vlan_id BETWEEN 1 AND 4094", name="vlan_id"),
        nullable=False,
    ),
    UniqueConstraint("physical_network", "vlan_id"),
)

switches = Table(
    "switches",
    metadata,
    Column("datapath_id", String(36), primary_key=True),
)
