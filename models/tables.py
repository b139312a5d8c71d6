"""Where facts are stored, the same on SQLite and PostgreSQL.

Primary keys of what belongs to a person begin with the dossier, so that PostgreSQL can be partitioned and
distributed by it. What crosses dossiers has a table of its own: the directory, `tied`, `whereabouts`, the journal's
order.
Migrations create these tables; `tests/models/test_migrations.py` holds the two together.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

from models.database import Id, Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# On SQLite, tables without rowid live in the tree of their primary key: one descent finds a row, and the rows of a
# dossier lie together.

# The directory: who exists.

professional = Table(
    "professional",
    metadata,
    Column("rpps", Text, primary_key=True),
    Column("profession", Text, nullable=False),
    Column("samu_regulator", Boolean, nullable=False, server_default=false()),
    Column("person", Id),
    sqlite_with_rowid=False,
)

organization = Table(
    "organization",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    sqlite_with_rowid=False,
)

exercise = Table(
    "exercise",
    metadata,
    Column("professional", Text, ForeignKey("professional.rpps", ondelete="CASCADE"), primary_key=True),
    Column("organization", Text, ForeignKey("organization.id"), primary_key=True),
    Index(None, "organization", "professional"),
    comment="Where a professional exercises.",
    sqlite_with_rowid=False,
)

staff = Table(
    "staff",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization", Text, ForeignKey("organization.id"), nullable=False),
    sqlite_with_rowid=False,
)

# The dossier: what the patient decided, and who may enter. What belongs to it refers to it without a foreign key, whose
# check of every row would take a quarter of an import: `models.queries.dossiers.hold_dossier` is what keeps a dossier
# while something is added to it.

dossier = Table(
    "dossier",
    metadata,
    Column("id", Id, primary_key=True),
    Column("state", Text, nullable=False),
    Column("state_since", Instant, nullable=False),
    Column("born", Date),
    Column("protected", Boolean, nullable=False, server_default=false()),
    Column("care_team_consent", Boolean, nullable=False, server_default=false()),
    Column("refuses_break_glass", Boolean, nullable=False, server_default=false()),
    Column("refuses_centre_15", Boolean, nullable=False, server_default=false()),
    Column("masked_in_emergency", Boolean, nullable=False, server_default=false()),
    Column("ins_sealed", LargeBinary, comment="The INS under the dossier's key; the only place where it stands."),
    Column("opened_at", Instant),
    # The sheet (models.sheets): one row holds all that decisions read of a dossier.
    Column("ties", LargeBinary, comment="Who may enter, and who is kept out; null where there is nobody."),
    Column("documents", LargeBinary, comment="The facts of its documents; null where there is none."),
    Column("reimbursed_since", Instant, comment="When the oldest care was whose reimbursement it still shows."),
    # What retention looks for.
    Index(None, "state_since", postgresql_where=text("state = 'closed'"), sqlite_where=text("state = 'closed'")),
    Index(
        None,
        "reimbursed_since",
        postgresql_where=text("reimbursed_since IS NOT NULL"),
        sqlite_where=text("reimbursed_since IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

tied = Table(
    "tied",
    metadata,
    Column("party", Text, primary_key=True, comment="RPPS, FINESS or SIREN."),
    Column("dossier", Id, primary_key=True),
    comment="Where to look for the dossiers that may be open to whom; whether one is, its own row says.",
    sqlite_with_rowid=False,
)

# Keys: useless without the key service, which keeps the masters. Shards stand between the masters and the dossiers, so
# that another master means few keys to wrap anew.

shard_key = Table(
    "shard_key",
    metadata,
    Column("tree", Text, primary_key=True, comment="dossier, journal, index, rows or signing."),
    Column("shard", Integer, primary_key=True, comment="0 to 4095 for dossiers and their journals; else 0."),
    Column("version", Integer, primary_key=True),
    Column("state", Text, nullable=False, comment="primary, enabled, disabled or destroyed."),
    Column("key_id", Text, nullable=False, comment="The master key that wraps it."),
    Column("wrapped", LargeBinary, nullable=False, comment="Empty once destroyed."),
    Column("uses", BigInteger, nullable=False, server_default="0", comment="How many keys it has wrapped."),
    Column("made_at", Instant, nullable=False),
)

keyring_seen = Table(
    "keyring_seen",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("generation", BigInteger, nullable=False),
    comment="One row: no key service older than this is believed.",
)

dossier_key = Table(
    "dossier_key",
    metadata,
    Column("dossier", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("key_id", Text, nullable=False, comment="The shard key that wraps it."),
    Column("wrapped", LargeBinary, nullable=False),
)

has_read = Table(
    "has_read",
    metadata,
    Column("dossier", Id, primary_key=True),
    Column("professional", Text, primary_key=True),
    comment="Who has read something of the dossier before; written with the journal entry of the reading.",
    sqlite_with_rowid=False,
)

# Documents and messages: facts here and in the sheets, content in the object store.

whereabouts = Table(
    "whereabouts",
    metadata,
    Column("bucket", Integer, primary_key=True, autoincrement=False, comment="24 bits of the CRC-32 of the ids in it."),
    Column("entries", LargeBinary, nullable=False, comment="16 bytes of an id, 16 of its dossier, again and again."),
    comment="In which dossier a document or message is.",
    sqlite_with_rowid=False,
)

contest = Table(
    "contest",
    metadata,
    Column("dossier", Id, primary_key=True),
    Column("document", Id, primary_key=True),
    Column(
        "sealed",
        LargeBinary,
        nullable=False,
        comment="The patient's contest and the author's answer, under the dossier's key.",
    ),
    sqlite_with_rowid=False,
)

content = Table(
    "content",
    metadata,
    Column("dossier", Id, primary_key=True),
    Column("document", Id, primary_key=True),
    Column("object_name", Text, nullable=False),
    Column("head", LargeBinary, nullable=False, comment="The object's first bytes: header, salt, commitment."),
    Column("data_key", LargeBinary, nullable=False, comment="The document's key, wrapped under the dossier's."),
    Column("content_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False, comment="Of the plaintext, in bytes."),
    Column("sha256", LargeBinary, nullable=False, comment="Of the plaintext, under the dossier's key."),
    Column("title_sealed", LargeBinary, nullable=False, comment="Under the dossier's key."),
    Column("deposited_at", Instant, nullable=False),
    Column("mac", LargeBinary, nullable=False, comment="Over the whole row, under a key of the tree rows."),
    Index(None, "object_name"),
    comment="What the vault needs to give a document back; the row goes when the document is erased.",
)

pending_object = Table(
    "pending_object",
    metadata,
    Column("dossier", Id, primary_key=True),
    Column("object_name", Text, primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("removing", Boolean, nullable=False, server_default=false(), comment="To be removed, whatever its age."),
    comment="Objects that are being written, that a crash left behind, or that are to go: reconcile removes these.",
)

message = Table(
    "message",
    metadata,
    Column("dossier", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("sender", Text, nullable=False),
    Column("addressee", Text, nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("reply_to", Id),
    Column("sealed", LargeBinary, nullable=False, comment="Subject, body and references, under the dossier's key."),
    Column("thread", Id, comment="The message that began the thread; null in that one."),
    Column("read_at", Instant, comment="When the addressee first read it."),
    Index(None, "addressee", "sent_at", "id"),
    Index(
        "ix_message_unread",
        "addressee",
        "sent_at",
        "id",
        postgresql_where=text("read_at IS NULL"),
        sqlite_where=text("read_at IS NULL"),
    ),
    Index(None, "sender", "sent_at", "id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("dossier", Id, primary_key=True),
    Column("client", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request", LargeBinary, nullable=False, comment="SHA-256 of what was asked."),
    Column("answer", Text, nullable=False),
    Column("answered_at", Instant, nullable=False),
)

# A scrub goes through all documents; what it found stays until the next one begins.

scrub = Table(
    "scrub",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column(
        "after_dossier", Id, nullable=False, comment="How far it came: this document is verified, with all before it."
    ),
    Column("after_document", Id, nullable=False),
    Column("documents", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    comment="One row: the last scrub.",
)

scrub_finding = Table(
    "scrub_finding",
    metadata,
    Column("dossier", Id, primary_key=True),
    Column("document", Id, primary_key=True),
    Column("what", Text, nullable=False, comment="missing or broken."),
    Column("found_at", Instant, nullable=False),
)

# The journal: entries by dossier, one order for all.

journal_entry = Table(
    "journal_entry",
    metadata,
    Column("dossier", Id, primary_key=True, comment="The nil UUID when the question was about no known dossier."),
    Column("sequence", BigInteger, primary_key=True, comment="1, 2, 3, ... in the dossier."),
    Column("leaf", LargeBinary, nullable=False, comment="RFC 6962 leaf hash of the line's bytes."),
    Column(
        "previous", LargeBinary, nullable=False, comment="The leaf of the dossier's line before; empty in the first."
    ),
    Column("commitment", LargeBinary, nullable=False, comment="SHA-256 of salt and entry."),
    Column("sealed", LargeBinary, comment="Salt and entry under the dossier's journal key; null once erased."),
    Column("at", Instant, nullable=False),
    Column("subject", LargeBinary, comment="Keyed hash of type/id, to answer: who read what? Null once erased."),
    Index(None, "subject", "at"),
)

journal_chain = Table(
    "journal_chain",
    metadata,
    Column("dossier", Id, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("key_id", Text, comment="The shard key that wraps the dossier's journal key."),
    Column("wrapped", LargeBinary, comment="The dossier's journal key; null once erased."),
    comment="The last entry of each dossier, to which the next one is chained, and the key of them all.",
)

journal_waiting = Table(
    "journal_waiting",
    metadata,
    Column("arrival", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("dossier", Id, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    comment="Entries that are durable and not yet in the tree.",
)

journal_leaf = Table(
    "journal_leaf",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False, comment="In the tree, from 0."),
    Column("dossier", Id, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Index(None, "dossier", "sequence", unique=True),
    comment="The order of all entries.",
)

journal_node = Table(
    "journal_node",
    metadata,
    Column("level", SmallInteger, primary_key=True, comment="8, 16, ...: only the roots of full tiles of 256."),
    Column("position", BigInteger, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
)

journal_head = Table(
    "journal_head",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False, comment="Roots of the complete subtrees, largest first."),
    comment="One row: the tree's size and what the next leaf is added to.",
)

journal_checkpoint = Table(
    "journal_checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False, comment="The signed note."),
    Column("at", Instant, nullable=False),
    Column("published_at", Instant, comment="When it and its tiles were in the object store."),
)

# What must be told to somebody, until he has it.

notification = Table(
    "notification",
    metadata,
    Column("dossier", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("sequence", BigInteger, nullable=False, comment="The journal's entry that it tells of."),
    Column("obligation", Text, nullable=False, comment="What is told: a word of models.vocabulary.Notice."),
    Column("action", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Instant, comment="When it is tried next; null once it is a dead letter."),
    Column("failure", Text, comment="What the last attempt met."),
    Column("document", Id, comment="Which document it tells of, where it tells of one."),
    Index(None, "due_at"),
)

# What is asked of others when a dossier opens, until they have answered.

inquiry = Table(
    "inquiry",
    metadata,
    Column("dossier", Id, primary_key=True),
    Column("source", Text, primary_key=True, comment="fund, or pharmaceutical_record."),
    Column("asked_at", Instant, nullable=False, comment="When the dossier was opened."),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Instant, comment="When it is tried next; null once it was given up."),
    Column("failure", Text, comment="What the last attempt met."),
    Index(None, "due_at"),
)

# The figures: what is counted, without a person in it. Days and no hours, ids that have no order: nothing ties a row to
# a dossier.

opening = Table(
    "opening",
    metadata,
    Column("id", Id, primary_key=True, comment="Random."),
    Column("day", Date, nullable=False, comment="In France."),
    Column("kind", Text, nullable=False, comment="person, professional, or the kind of the organization."),
    Column("opener", Text, comment="RPPS, FINESS or SIREN; null if it was the patient."),
    Column("department", Text, comment="Of the organization, or where the professional exercises; null if unknown."),
    Index(None, "day"),
)

emergency = Table(
    "emergency",
    metadata,
    Column("id", Id, primary_key=True, comment="Random."),
    Column("day", Date, nullable=False, comment="In France."),
    Column("mode", Text, nullable=False, comment="break_glass or centre_15."),
    Index(None, "day"),
    comment="Accesses in an emergency, one row each.",
)

# The rules.

policy_in_force = Table(
    "policy_in_force",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("version", BigInteger, nullable=False, comment="Of the bundle; 0 if there has been none."),
    Column("content", LargeBinary, nullable=False, comment="SHA-256 of what its reviewers signed; empty if none."),
    Column("bundle", LargeBinary, nullable=False, comment="The bundle as it was published; empty if none."),
    Column("revision", Text, nullable=False, comment="Of the rules last put in force, by a bundle or from a folder."),
    Column("since", Instant, nullable=False),
    comment="One row: what every instance follows, and may not fall behind.",
)

# Who may call the service.

client = Table(
    "client",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    Column("scopes", Text, nullable=False, comment="Words separated by spaces."),
    Column("speaks_for", Text, nullable=False, comment="Subject types separated by spaces."),
    Column("organization", Text),
    Column("created_at", Instant, nullable=False),
)
