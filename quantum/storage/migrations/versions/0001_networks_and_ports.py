# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Networks, their ports, quarantined segments and known switches."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "networks",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("tenant_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("segment_id", sa.Integer(), nullable=False),
        sa.UniqueConstraint("segment_id", name=op.f("uq_networks_segment_id")),
    )
    op.create_table(
        "ports",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("network_id", sa.String(36), nullable=False),
        sa.Column("admin_state", sa.String(6), nullable=False),
        sa.Column("interface", sa.String(255), nullable=True),
        sa.ForeignKeyConstraint(
            ["network_id"], ["networks.id"], name=op.f("fk_ports_network_id")
        ),
        sa.CheckConstraint(
            "admin_state IN ('ACTIVE', 'DOWN')", name=op.f("ck_ports_admin_state")
        ),
        sa.UniqueConstraint("interface", name=op.f("uq_ports_interface")),
    )
    op.create_index(op.f("ix_ports_network_id_id"), "ports", ["network_id", "id"])
    op.create_table(
        "released_segments",
        sa.Column("segment_id", sa.Integer(), primary_key=True, autoincrement=False),
    )
    op.create_table(
        "switches", sa.Column("datapath_id", sa.String(36), primary_key=True)
    )


def downgrade() -> None:
    """Drop every table."""
    for table in ("switches", "released_segments", "ports", "networks"):
        op.drop_table(table)
