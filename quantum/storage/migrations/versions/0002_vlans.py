# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The VLANs that networks are bound to."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "vlans",
        sa.Column("segment_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("physical_network", sa.String(64), nullable=False),
        sa.Column("vlan_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("vlan_id BETWEEN 1 AND 4094", name=op.f("ck_vlans_vlan_id")),
        sa.UniqueConstraint(
            "physical_network", "vlan_id", name=op.f("uq_vlans_physical_network")
        ),
    )


def downgrade() -> None:
    """Drop the table: networks that were bound to a VLAN will use tunnels."""
    op.drop_table("vlans")
