"""Everything that the service stores."""

import sqlalchemy as sa
from alembic import op

from models.database import Id, Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False, comment="Words separated by spaces."),
        sa.Column("speaks_for", sa.Text(), nullable=False, comment="Subject types separated by spaces."),
        sa.Column("organization", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_client")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_client_key_hash")),
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
        "document",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("series", Id(), nullable=False, comment="The first version's id: a mask holds for all versions."),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("document_type", sa.Text(), nullable=False),
        sa.Column("author_type", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("masked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("withheld_until", Instant(), nullable=True),
        sa.Column("hidden_from_representatives", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "contest_sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="The patient's contest and the author's answer, under the dossier's key.",
        ),
        sa.PrimaryKeyConstraint("dossier", "id", name=op.f("pk_document")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_document_dossier_created_at_id"),
        "document",
        ["dossier", "created_at", "id"],
        postgresql_where=sa.text("status <> 'deleted'"),
        sqlite_where=sa.text("status <> 'deleted'"),
    )
    op.create_table(
        "dossier",
        sa.Column("id", Id(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_since", Instant(), nullable=False),
        sa.Column("born", sa.Date(), nullable=True),
        sa.Column("protected", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("care_team_consent", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("refuses_break_glass", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("refuses_centre_15", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("masked_in_emergency", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "ins_sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="The INS under the dossier's key; the only place where it stands.",
        ),
        sa.Column("opened_at", Instant(), nullable=True),
        sa.Column("opener_type", sa.Text(), nullable=True),
        sa.Column("opener_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dossier_key",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False, comment="The key of the key service that wraps it."),
        sa.PrimaryKeyConstraint("dossier", name=op.f("pk_dossier_key")),
    )
    op.create_table(
        "has_read",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("professional", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("dossier", "professional", name=op.f("pk_has_read")),
        comment="Who has read something of the dossier before; written with the journal entry of the reading.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "idempotency",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False, comment="SHA-256 of what was asked."),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("dossier", "client", "key", name=op.f("pk_idempotency")),
    )
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
    op.create_table(
        "journal_head",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "frontier", sa.LargeBinary(), nullable=False, comment="Roots of the complete subtrees, largest first."
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_head")),
        comment="One row: the tree's size and what the next leaf is added to.",
    )
    op.create_table(
        "journal_node",
        sa.Column(
            "level", sa.SmallInteger(), nullable=False, comment="8, 16, ...: only the roots of full tiles of 256."
        ),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_journal_node")),
    )
    op.create_table(
        "message",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("addressee", sa.Text(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=False),
        sa.Column("reply_to", Id(), nullable=True),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="Subject, body and references, under the dossier's key."
        ),
        sa.PrimaryKeyConstraint("dossier", "id", name=op.f("pk_message")),
    )
    op.create_index(op.f("ix_message_addressee_sent_at_id"), "message", ["addressee", "sent_at", "id"])
    op.create_table(
        "organization",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pending_object",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("object_name", sa.Text(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column(
            "removing",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="To be removed, whatever its age.",
        ),
        sa.PrimaryKeyConstraint("dossier", "object_name", name=op.f("pk_pending_object")),
        comment="Objects that are being written, that a crash left behind, or that are to go: reconcile removes these.",
    )
    op.create_table(
        "place",
        sa.Column("id", Id(), nullable=False),
        sa.Column("dossier", Id(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
        comment="In which dossier a document or message is.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "professional",
        sa.Column("rpps", sa.Text(), nullable=False),
        sa.Column("profession", sa.Text(), nullable=False),
        sa.Column("samu_regulator", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("person", Id(), nullable=True),
        sa.PrimaryKeyConstraint("rpps", name=op.f("pk_professional")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "relation",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("party_type", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=True),
        sa.Column("until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("dossier", "party_type", "party", "kind", name=op.f("pk_relation")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_relation_party_type_party_dossier"),
        "relation",
        ["party_type", "party", "dossier"],
        postgresql_where=sa.text("kind <> 'blocked'"),
        sqlite_where=sa.text("kind <> 'blocked'"),
    )
    op.create_table(
        "representation",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("person", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("dossier", "person", "kind", name=op.f("pk_representation")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "exercise",
        sa.Column("professional", sa.Text(), nullable=False),
        sa.Column("organization", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["organization"], ["organization.id"], name=op.f("fk_exercise_organization")),
        sa.ForeignKeyConstraint(
            ["professional"], ["professional.rpps"], name=op.f("fk_exercise_professional"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("professional", "organization", name=op.f("pk_exercise")),
        comment="Where a professional exercises.",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_exercise_organization_professional"), "exercise", ["organization", "professional"])
    op.create_table(
        "staff",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["organization"], ["organization.id"], name=op.f("fk_staff_organization")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("staff")
    op.drop_index(op.f("ix_exercise_organization_professional"), "exercise")
    op.drop_table("exercise")
    op.drop_table("representation")
    op.drop_index(op.f("ix_relation_party_type_party_dossier"), "relation")
    op.drop_table("relation")
    op.drop_table("professional")
    op.drop_table("place")
    op.drop_table("pending_object")
    op.drop_table("organization")
    op.drop_index(op.f("ix_message_addressee_sent_at_id"), "message")
    op.drop_table("message")
    op.drop_table("journal_node")
    op.drop_table("journal_head")
    op.drop_index(op.f("ix_journal_entry_subject_at"), "journal_entry")
    op.drop_index(op.f("ix_journal_entry_position"), "journal_entry")
    op.drop_table("journal_entry")
    op.drop_table("journal_chain")
    op.drop_table("idempotency")
    op.drop_table("has_read")
    op.drop_table("dossier_key")
    op.drop_table("dossier")
    op.drop_index(op.f("ix_document_dossier_created_at_id"), "document")
    op.drop_table("document")
    op.drop_index(op.f("ix_content_object_name"), "content")
    op.drop_table("content")
    op.drop_table("client")
