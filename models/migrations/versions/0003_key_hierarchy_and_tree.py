"""Keys by shard, rows under a MAC, sealed entries with an order of their own, notifications, scrubs.

What was written before the first release has other keys and another journal, which nothing turns into these: such a
database is refused as it is.
"""

import sqlalchemy as sa
from alembic import op

from models.database import Id, Instant
from models.errors import DatabaseError

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ADDED = (
    "notification",
    "journal_checkpoint",
    "journal_leaf",
    "journal_waiting",
    "scrub_finding",
    "scrub",
    "keyring_seen",
    "shard_key",
)
_REPLACED = ("journal_entry", "journal_chain", "content", "dossier_key")


def upgrade() -> None:
    for table in _REPLACED:
        if op.get_bind().execute(sa.text(f"SELECT 1 FROM {table} LIMIT 1")).first():  # noqa: S608 - our own tables
            raise DatabaseError("this database was written before the first release: begin with an empty one")
        op.drop_table(table)
    op.create_index(
        op.f("ix_dossier_state_since"),
        "dossier",
        ["state_since"],
        unique=False,
        postgresql_where=sa.text("state = 'closed'"),
        sqlite_where=sa.text("state = 'closed'"),
    )
    _keys()
    _documents()
    _journal()


def _keys() -> None:
    op.create_table(
        "shard_key",
        sa.Column("tree", sa.Text(), nullable=False, comment="dossier, journal, index, rows or signing."),
        sa.Column("shard", sa.Integer(), nullable=False, comment="0 to 4095 for dossiers and their journals; else 0."),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="primary, enabled, disabled or destroyed."),
        sa.Column("key_id", sa.Text(), nullable=False, comment="The master key that wraps it."),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False, comment="Empty once destroyed."),
        sa.Column("uses", sa.BigInteger(), server_default="0", nullable=False, comment="How many keys it has wrapped."),
        sa.Column("made_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tree", "shard", "version", name=op.f("pk_shard_key")),
    )
    op.create_table(
        "keyring_seen",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keyring_seen")),
        comment="One row: no key service older than this is believed.",
    )
    op.create_table(
        "dossier_key",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False, comment="The shard key that wraps it."),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("dossier", name=op.f("pk_dossier_key")),
    )


def _documents() -> None:
    op.create_table(
        "content",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("document", Id(), nullable=False),
        sa.Column("object_name", sa.Text(), nullable=False),
        sa.Column(
            "head", sa.LargeBinary(), nullable=False, comment="The object's first bytes: header, salt, commitment."
        ),
        sa.Column(
            "data_key", sa.LargeBinary(), nullable=False, comment="The document's key, wrapped under the dossier's."
        ),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="Of the plaintext, in bytes."),
        sa.Column("sha256", sa.LargeBinary(), nullable=False, comment="Of the plaintext, under the dossier's key."),
        sa.Column("title_sealed", sa.LargeBinary(), nullable=False, comment="Under the dossier's key."),
        sa.Column("deposited_at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False, comment="Over the whole row, under a key of the tree rows."),
        sa.PrimaryKeyConstraint("dossier", "document", name=op.f("pk_content")),
        comment="What the vault needs to give a document back; the row goes when the document is erased.",
    )
    op.create_index(op.f("ix_content_object_name"), "content", ["object_name"], unique=False)
    op.create_table(
        "scrub",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column(
            "after_dossier",
            Id(),
            nullable=False,
            comment="How far it came: this document is verified, with all before it.",
        ),
        sa.Column("after_document", Id(), nullable=False),
        sa.Column("documents", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scrub")),
        comment="One row: the last scrub.",
    )
    op.create_table(
        "scrub_finding",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("document", Id(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False, comment="missing or broken."),
        sa.Column("found_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("dossier", "document", name=op.f("pk_scrub_finding")),
    )


def _journal() -> None:
    op.create_table(
        "journal_entry",
        sa.Column(
            "dossier", Id(), nullable=False, comment="The nil UUID when the question was about no known dossier."
        ),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="1, 2, 3, ... in the dossier."),
        sa.Column("leaf", sa.LargeBinary(), nullable=False, comment="RFC 6962 leaf hash of the line's bytes."),
        sa.Column(
            "previous",
            sa.LargeBinary(),
            nullable=False,
            comment="The leaf of the dossier's line before; empty in the first.",
        ),
        sa.Column("commitment", sa.LargeBinary(), nullable=False, comment="SHA-256 of salt and entry."),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="Salt and entry under the dossier's journal key; null once erased.",
        ),
        sa.Column("at", Instant(), nullable=False),
        sa.Column(
            "subject",
            sa.LargeBinary(),
            nullable=True,
            comment="Keyed hash of type/id, to answer: who read what? Null once erased.",
        ),
        sa.PrimaryKeyConstraint("dossier", "sequence", name=op.f("pk_journal_entry")),
    )
    op.create_index(op.f("ix_journal_entry_subject_at"), "journal_entry", ["subject", "at"], unique=False)
    op.create_table(
        "journal_chain",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True, comment="The shard key that wraps the dossier's journal key."),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True, comment="The dossier's journal key; null once erased."),
        sa.PrimaryKeyConstraint("dossier", name=op.f("pk_journal_chain")),
        comment="The last entry of each dossier, to which the next one is chained, and the key of them all.",
    )
    op.create_table(
        "journal_waiting",
        sa.Column("arrival", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("arrival", name=op.f("pk_journal_waiting")),
        comment="Entries that are durable and not yet in the tree.",
    )
    op.create_table(
        "journal_leaf",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False, comment="In the tree, from 0."),
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_journal_leaf")),
        comment="The order of all entries.",
    )
    op.create_index(op.f("ix_journal_leaf_dossier_sequence"), "journal_leaf", ["dossier", "sequence"], unique=True)
    op.create_table(
        "journal_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False, comment="The signed note."),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("published_at", Instant(), nullable=True, comment="When it and its tiles were in the object store."),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_journal_checkpoint")),
    )
    op.create_table(
        "notification",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="The journal's entry that it tells of."),
        sa.Column("obligation", sa.Text(), nullable=False, comment="notify_patient or notify_treating_physicians."),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", Instant(), nullable=True, comment="When it is tried next; null once it is a dead letter."),
        sa.Column("failure", sa.Text(), nullable=True, comment="What the last attempt met."),
        sa.PrimaryKeyConstraint("dossier", "id", name=op.f("pk_notification")),
    )
    op.create_index(op.f("ix_notification_due_at"), "notification", ["due_at"], unique=False)


def downgrade() -> None:
    for table in (*_ADDED, *_REPLACED):
        op.drop_table(table)
    op.drop_index(op.f("ix_dossier_state_since"), "dossier")
    op.create_table(
        "dossier_key",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False, comment="The key of the key service that wraps it."),
        sa.PrimaryKeyConstraint("dossier", name=op.f("pk_dossier_key")),
    )
    op.create_table(
        "content",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("document", Id(), nullable=False),
        sa.Column("object_name", sa.Text(), nullable=False),
        sa.Column(
            "head", sa.LargeBinary(), nullable=False, comment="The object's first bytes: header, salt, commitment."
        ),
        sa.Column(
            "data_key", sa.LargeBinary(), nullable=False, comment="The document's key, wrapped under the dossier's."
        ),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="Of the plaintext, in bytes."),
        sa.Column("sha256", sa.LargeBinary(), nullable=False, comment="Of the plaintext, under the dossier's key."),
        sa.Column("title_sealed", sa.LargeBinary(), nullable=False, comment="Under the dossier's key."),
        sa.Column("deposited_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("dossier", "document", name=op.f("pk_content")),
        comment="What the vault needs to give a document back; the row goes when the document is erased.",
    )
    op.create_index(op.f("ix_content_object_name"), "content", ["object_name"])
    op.create_table(
        "journal_chain",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("dossier", name=op.f("pk_journal_chain")),
        comment="The last entry of each dossier, to which the next one is chained.",
    )
    op.create_table(
        "journal_entry",
        sa.Column(
            "dossier", Id(), nullable=False, comment="The nil UUID when the question was about no known dossier."
        ),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="1, 2, 3, ... in the dossier."),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="The leaf's index in the tree, from 0."),
        sa.Column("leaf", sa.LargeBinary(), nullable=False, comment="RFC 6962 leaf hash of the entry's bytes."),
        sa.Column("entry", sa.LargeBinary(), nullable=False, comment="The canonical bytes."),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="type/id, to answer: who read what?"),
        sa.PrimaryKeyConstraint("dossier", "sequence", name=op.f("pk_journal_entry")),
    )
    op.create_index(op.f("ix_journal_entry_position"), "journal_entry", ["position"])
    op.create_index(op.f("ix_journal_entry_subject_at"), "journal_entry", ["subject", "at"])
