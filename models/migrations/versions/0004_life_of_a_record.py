"""Openings and emergencies to be counted, inquiries of the fund, threads of messages, notifications about documents."""

import sqlalchemy as sa
from alembic import op

from models.database import Id, Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_UNREAD = sa.text("read_at IS NULL")
_EXPIRING = sa.text("document_type = 'REMB' AND status <> 'deleted'")
# The first message of a thread is found by going back from each reply.
_THREADS = """
    WITH RECURSIVE back (dossier, id, first) AS (
        SELECT dossier, id, reply_to FROM message WHERE reply_to IS NOT NULL
        UNION ALL
        SELECT back.dossier, back.id, message.reply_to
        FROM back JOIN message ON message.dossier = back.dossier AND message.id = back.first
        WHERE message.reply_to IS NOT NULL
    )
    UPDATE message SET thread = (
        SELECT first FROM back WHERE back.dossier = message.dossier AND back.id = message.id
        AND NOT EXISTS (
            SELECT 1 FROM message AS earlier
            WHERE earlier.dossier = back.dossier AND earlier.id = back.first AND earlier.reply_to IS NOT NULL
        )
    )
    WHERE reply_to IS NOT NULL
"""


def upgrade() -> None:
    _figures()
    op.drop_column("dossier", "opener_type")
    op.drop_column("dossier", "opener_id")
    op.create_index(
        op.f("ix_document_created_at"),
        "document",
        ["created_at"],
        unique=False,
        postgresql_where=_EXPIRING,
        sqlite_where=_EXPIRING,
    )
    op.add_column(
        "message",
        sa.Column("thread", Id(), nullable=True, comment="The message that began the thread; null in that one."),
    )
    op.add_column(
        "message", sa.Column("read_at", Instant(), nullable=True, comment="When the addressee first read it.")
    )
    op.execute(_THREADS)
    _boxes()
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.alter_column("notification", "obligation", comment="What is told: a word of models.vocabulary.Notice.")
    op.add_column(
        "notification",
        sa.Column("document", Id(), nullable=True, comment="Which document it tells of, where it tells of one."),
    )
    op.create_table(
        "inquiry",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="fund, or pharmaceutical_record."),
        sa.Column("asked_at", Instant(), nullable=False, comment="When the dossier was opened."),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", Instant(), nullable=True, comment="When it is tried next; null once it was given up."),
        sa.Column("failure", sa.Text(), nullable=True, comment="What the last attempt met."),
        sa.PrimaryKeyConstraint("dossier", "source", name=op.f("pk_inquiry")),
    )
    op.create_index(op.f("ix_inquiry_due_at"), "inquiry", ["due_at"], unique=False)


def _boxes() -> None:
    """What was sent, and what is still to be read."""
    op.create_index(op.f("ix_message_sender_sent_at_id"), "message", ["sender", "sent_at", "id"], unique=False)
    op.create_index(
        op.f("ix_message_unread"),
        "message",
        ["addressee", "sent_at", "id"],
        unique=False,
        postgresql_where=_UNREAD,
        sqlite_where=_UNREAD,
    )


def _figures() -> None:
    op.create_table(
        "opening",
        sa.Column("id", Id(), nullable=False, comment="Random."),
        sa.Column("day", sa.Date(), nullable=False, comment="In France."),
        sa.Column("kind", sa.Text(), nullable=False, comment="person, professional, or the kind of the organization."),
        sa.Column("opener", sa.Text(), nullable=True, comment="RPPS, FINESS or SIREN; null if it was the patient."),
        sa.Column(
            "department",
            sa.Text(),
            nullable=True,
            comment="Of the organization, or where the professional exercises; null if unknown.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening")),
    )
    op.create_index(op.f("ix_opening_day"), "opening", ["day"], unique=False)
    op.create_table(
        "emergency",
        sa.Column("id", Id(), nullable=False, comment="Random."),
        sa.Column("day", sa.Date(), nullable=False, comment="In France."),
        sa.Column("mode", sa.Text(), nullable=False, comment="break_glass or centre_15."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency")),
        comment="Accesses in an emergency, one row each.",
    )
    op.create_index(op.f("ix_emergency_day"), "emergency", ["day"], unique=False)


def downgrade() -> None:
    op.drop_table("emergency")
    op.drop_table("opening")
    op.drop_table("inquiry")
    op.drop_column("notification", "document")
    op.drop_index(op.f("ix_message_unread"), table_name="message")
    op.drop_index(op.f("ix_message_sender_sent_at_id"), table_name="message")
    op.drop_column("message", "read_at")
    op.drop_column("message", "thread")
    op.drop_index(op.f("ix_document_created_at"), table_name="document")
    op.add_column("dossier", sa.Column("opener_type", sa.Text(), nullable=True))
    op.add_column("dossier", sa.Column("opener_id", sa.Text(), nullable=True))
