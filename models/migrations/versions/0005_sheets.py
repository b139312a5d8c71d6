"""What decisions read of a dossier goes into the dossier's row, and where documents are into buckets."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from models.database import Id, Instant
from models.facts import Document, Reference, Relation, Representation
from models.sheets import (
    Filed,
    Version,
    filed_in,
    pack_documents,
    pack_ties,
    relations_of,
    representations_of,
)
from models.vocabulary import DocumentStatus, RelationKind, RepresentationKind
from models.whereabouts import ENTRY_SIZE, entries_of

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PAGE = 1_000
_EXPIRING = sa.text("document_type = 'REMB' AND status <> 'deleted'")
_SHOWN = sa.text("reimbursed_since IS NOT NULL")
_OPENING = sa.text("kind <> 'blocked'")
_THERE = sa.text("status <> 'deleted'")

_dossier = sa.table(
    "dossier",
    sa.column("id", Id()),
    sa.column("ties", sa.LargeBinary()),
    sa.column("documents", sa.LargeBinary()),
    sa.column("reimbursed_since", Instant()),
)
_relation = sa.table(
    "relation",
    sa.column("dossier", Id()),
    sa.column("party_type", sa.Text()),
    sa.column("party", sa.Text()),
    sa.column("kind", sa.Text()),
    sa.column("since", Instant()),
    sa.column("until", Instant()),
)
_representation = sa.table(
    "representation",
    sa.column("dossier", Id()),
    sa.column("person", Id()),
    sa.column("kind", sa.Text()),
    sa.column("until", Instant()),
)
_document = sa.table(
    "document",
    sa.column("dossier", Id()),
    sa.column("id", Id()),
    sa.column("series", Id()),
    sa.column("version", sa.Integer()),
    sa.column("document_type", sa.Text()),
    sa.column("author_type", sa.Text()),
    sa.column("author_id", sa.Text()),
    sa.column("created_at", Instant()),
    sa.column("masked", sa.Boolean()),
    sa.column("withheld_until", Instant()),
    sa.column("hidden_from_representatives", sa.Boolean()),
    sa.column("status", sa.Text()),
    sa.column("contest_sealed", sa.LargeBinary()),
)
_contest = sa.table(
    "contest", sa.column("dossier", Id()), sa.column("document", Id()), sa.column("sealed", sa.LargeBinary())
)
_tied = sa.table("tied", sa.column("party", sa.Text()), sa.column("dossier", Id()))
_place = sa.table("place", sa.column("id", Id()), sa.column("dossier", Id()))
_whereabouts = sa.table("whereabouts", sa.column("bucket", sa.Integer()), sa.column("entries", sa.LargeBinary()))


def upgrade() -> None:
    op.add_column(
        "dossier",
        sa.Column("ties", sa.LargeBinary(), comment="Who may enter, and who is kept out; null where there is nobody."),
    )
    op.add_column(
        "dossier",
        sa.Column("documents", sa.LargeBinary(), comment="The facts of its documents; null where there is none."),
    )
    op.add_column(
        "dossier",
        sa.Column(
            "reimbursed_since",
            Instant(),
            comment="When the oldest care was whose reimbursement it still shows.",
        ),
    )
    op.create_index(
        op.f("ix_dossier_reimbursed_since"),
        "dossier",
        ["reimbursed_since"],
        postgresql_where=_SHOWN,
        sqlite_where=_SHOWN,
    )
    _make()
    if op.get_bind().dialect.name == "postgresql":
        # Sheets are looked up with their rows, and made of what cannot be compressed: most stay within these.
        op.execute("ALTER TABLE dossier ALTER ties SET STORAGE EXTERNAL, ALTER documents SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE dossier SET (toast_tuple_target = 8160)")
        op.execute("ALTER TABLE whereabouts ALTER entries SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE whereabouts SET (toast_tuple_target = 8160)")
    for dossiers in _pages():
        _fold(dossiers)
    _place_all()
    for name in ("document", "representation", "relation", "place"):
        op.drop_table(name)


def downgrade() -> None:
    _make_again()
    for dossiers in _pages():
        _unfold(dossiers)
    rows = op.get_bind().execute(sa.select(_whereabouts.c.entries)).scalars()
    entries = (each[at : at + ENTRY_SIZE] for each in rows for at in range(0, len(each), ENTRY_SIZE))
    _insert(_place, [{"id": UUID(bytes=each[:16]), "dossier": UUID(bytes=each[16:])} for each in entries])
    for name in ("whereabouts", "contest", "tied"):
        op.drop_table(name)
    op.drop_index(op.f("ix_dossier_reimbursed_since"), table_name="dossier")
    for name in ("reimbursed_since", "documents", "ties"):
        op.drop_column("dossier", name)


def _make() -> None:
    op.create_table(
        "tied",
        sa.Column("party", sa.Text(), nullable=False, comment="RPPS, FINESS or SIREN."),
        sa.Column("dossier", Id(), nullable=False),
        sa.PrimaryKeyConstraint("party", "dossier", name=op.f("pk_tied")),
        comment="Where to look for the dossiers that may be open to whom; whether one is, its own row says.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "whereabouts",
        sa.Column(
            "bucket",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="24 bits of the CRC-32 of the ids in it.",
        ),
        sa.Column(
            "entries",
            sa.LargeBinary(),
            nullable=False,
            comment="16 bytes of an id, 16 of its dossier, again and again.",
        ),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_whereabouts")),
        comment="In which dossier a document or message is.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contest",
        sa.Column("dossier", Id(), nullable=False),
        sa.Column("document", Id(), nullable=False),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="The patient's contest and the author's answer, under the dossier's key.",
        ),
        sa.PrimaryKeyConstraint("dossier", "document", name=op.f("pk_contest")),
        sqlite_with_rowid=False,
    )


def _make_again() -> None:
    op.create_table(
        "place",
        sa.Column("id", Id(), nullable=False),
        sa.Column("dossier", Id(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
        comment="In which dossier a document or message is.",
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
        postgresql_where=_OPENING,
        sqlite_where=_OPENING,
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
        sa.Column("contest_sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("dossier", "id", name=op.f("pk_document")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_document_dossier_created_at_id"),
        "document",
        ["dossier", "created_at", "id"],
        postgresql_where=_THERE,
        sqlite_where=_THERE,
    )
    op.create_index(
        op.f("ix_document_created_at"), "document", ["created_at"], postgresql_where=_EXPIRING, sqlite_where=_EXPIRING
    )


def _pages() -> Iterator[list[UUID]]:
    """All dossiers, some at a time."""
    query, after = sa.select(_dossier.c.id).order_by(_dossier.c.id).limit(_PAGE), UUID(int=0)
    while page := list(op.get_bind().execute(query.where(_dossier.c.id > after)).scalars()):
        yield page
        after = page[-1]


def _fold(dossiers: Sequence[UUID]) -> None:
    relations, representations, filed = defaultdict(list), defaultdict(list), defaultdict(list)
    contests, tied, since = [], set(), dict[UUID, datetime]()
    for row in _rows(_relation, dossiers):
        party = Reference(row.party_type, row.party)
        relations[row.dossier].append(Relation(party, RelationKind(row.kind), row.since, row.until))
        if row.kind != RelationKind.BLOCKED:
            tied.add((row.party, row.dossier))
    for row in _rows(_representation, dossiers):
        kept = Representation(row.person, RepresentationKind(row.kind), row.until)
        representations[row.dossier].append(kept)
    for row in sorted(_rows(_document, dossiers), key=lambda row: (row.version, row.created_at, row.id)):
        filed[row.dossier].append(_filed(row))
        if row.contest_sealed is not None:
            contests.append({"dossier": row.dossier, "document": row.id, "sealed": row.contest_sealed})
        if row.document_type == "REMB" and row.status != DocumentStatus.DELETED:
            since[row.dossier] = min(row.created_at, since.get(row.dossier, row.created_at))
    for each in sorted(relations.keys() | representations.keys() | filed.keys()):
        values = {
            "ties": pack_ties(relations[each], representations[each]) or None,
            "documents": pack_documents(filed[each]) or None,
            "reimbursed_since": since.get(each),
        }
        op.get_bind().execute(sa.update(_dossier).where(_dossier.c.id == each).values(values))
    _insert(_tied, [{"party": party, "dossier": each} for party, each in sorted(tied)])
    _insert(_contest, contests)


def _filed(row: Any) -> Filed:
    document = Document(
        row.id,
        row.document_type,
        Reference(row.author_type, row.author_id),
        row.created_at,
        row.masked,
        row.withheld_until,
        row.hidden_from_representatives,
        DocumentStatus(row.status),
    )
    return Filed(document, Version(row.series, row.version))


def _place_all() -> None:
    rows = op.get_bind().execute(sa.select(_place.c.id, _place.c.dossier))
    entries = entries_of((row.id, row.dossier) for row in rows)
    _insert(_whereabouts, [{"bucket": bucket, "entries": packed} for bucket, packed in entries.items()])


def _unfold(dossiers: Sequence[UUID]) -> None:
    query = sa.select(_dossier.c.id, _dossier.c.ties, _dossier.c.documents).where(_dossier.c.id.in_(dossiers))
    contests = {(row.dossier, row.document): row.sealed for row in _rows(_contest, dossiers)}
    relations, representations, documents = [], [], []
    for row in op.get_bind().execute(query).all():
        ties = row.ties or b""
        relations += [
            {
                "dossier": row.id,
                "party_type": each.party.type,
                "party": each.party.id,
                "kind": each.kind.value,
                "since": each.since,
                "until": each.until,
            }
            for each in relations_of(ties)
        ]
        representations += [
            {"dossier": row.id, "person": each.person, "kind": each.kind.value, "until": each.until}
            for each in representations_of(ties)
        ]
        documents += [
            _document_row(row.id, each, contests.get((row.id, each.document.id)))
            for each in filed_in(row.documents or b"")
        ]
    _insert(_relation, relations)
    _insert(_representation, representations)
    _insert(_document, documents)


def _document_row(dossier: UUID, filed: Filed, contest: bytes | None) -> dict[str, Any]:
    document, version = filed
    return {
        "dossier": dossier,
        "id": document.id,
        "series": version.series,
        "version": version.version,
        "document_type": document.document_type,
        "author_type": document.author.type,
        "author_id": document.author.id,
        "created_at": document.created_at,
        "masked": document.masked,
        "withheld_until": document.withheld_until,
        "hidden_from_representatives": document.hidden_from_representatives,
        "status": document.status.value,
        "contest_sealed": contest,
    }


def _rows(table: sa.TableClause, dossiers: Sequence[UUID]) -> Sequence[Any]:
    return op.get_bind().execute(sa.select(table).where(table.c.dossier.in_(dossiers))).all()


def _insert(table: sa.TableClause, rows: list[dict[str, Any]]) -> None:
    if rows:
        op.get_bind().execute(sa.insert(table), rows)
