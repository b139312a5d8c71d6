"""Which rules are in force, so that no instance falls behind."""

import sqlalchemy as sa
from alembic import op

from models.database import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policy_in_force",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Of the bundle; 0 if there has been none."),
        sa.Column(
            "content", sa.LargeBinary(), nullable=False, comment="SHA-256 of what its reviewers signed; empty if none."
        ),
        sa.Column("bundle", sa.LargeBinary(), nullable=False, comment="The bundle as it was published; empty if none."),
        sa.Column(
            "revision",
            sa.Text(),
            nullable=False,
            comment="Of the rules last put in force, by a bundle or from a folder.",
        ),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_in_force")),
        comment="One row: what every instance follows, and may not fall behind.",
    )


def downgrade() -> None:
    op.drop_table("policy_in_force")
