"""Records to copy, as small or as long as a test needs them."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from api.schemas.documents import Author, ContestView
from api.schemas.exports import ExportedDocument
from api.services.copies.record import Accesses, Record
from api.services.copies.wording import Directory
from models.facts import Dossier, Reference, Relation, Representation
from models.reference import DOCUMENT_TYPES
from models.vocabulary import DossierState, RelationKind, RepresentationKind

AT = datetime(2026, 10, 15, 12, tzinfo=UTC)
DOSSIER = UUID("5d6a1a2e-66a5-4c6c-9f4e-0f3f9c3f8a01")
PHYSICIAN, HOSPITAL = "10001234565", "750000028"
TITLE = "L’œuvre d’été «\u00a0cœur\u00a0» à Noël"

_DIRECTORY = Directory(str(DOSSIER), {PHYSICIAN: "physician"}, {HOSPITAL: "CHU de l’Île-de-France"})
_ACCESSES = Accesses(
    [
        Relation(Reference("professional", PHYSICIAN), RelationKind.TREATING_PHYSICIAN, AT),
        Relation(Reference("organization", HOSPITAL), RelationKind.CARE_TEAM, AT, AT + timedelta(days=30)),
        Relation(Reference("professional", "10001234573"), RelationKind.BLOCKED),
    ],
    [Representation(UUID(int=9), RepresentationKind.CAREGIVER)],
)


def a_document(number: int = 1, document_type: str = "11488-4", **changes: object) -> ExportedDocument:
    """A report of the treating physician, with a file, unless a test says otherwise."""
    kind = DOCUMENT_TYPES[document_type]
    told: dict[str, object] = {
        "id": UUID(int=number),
        "series": UUID(int=number),
        "version": 1,
        "document_type": document_type,
        "label": kind.label_fr,
        "space": kind.space.value,
        "author": Author("professional", PHYSICIAN),
        "created_at": AT - timedelta(days=number),
        "status": "current",
        "masked": False,
        "hidden_from_representatives": False,
        "contested": False,
        "path": f"documents/{kind.space.value}/L’été {number}.pdf",
        "sha256": "ab" * 32,
        "size": 1_000 * number,
        "content_type": "application/pdf",
        "title": TITLE,
        "deposited_at": AT,
    } | changes
    return ExportedDocument(**told)  # type: ignore[arg-type]  # what a test changes has the member's type


def a_record(
    *documents: ExportedDocument, accesses: Accesses | None = _ACCESSES, journal: str | None = "journal.jsonl"
) -> Record:
    """A record with these documents."""
    dossier = Dossier(DOSSIER, DossierState.OPEN, date(1960, 5, 12))
    subject = Reference("person", str(DOSSIER))
    return Record(dossier, subject, AT, documents, _DIRECTORY, accesses, journal, journal_whole=True)


def every_kind() -> tuple[ExportedDocument, ...]:
    """One of each standing that a document may have."""
    contest = ContestView("Ce n’est <b>pas</b> mon genou.", AT, kept=True, answer="Vérifié.", answered_at=AT)
    return (
        a_document(1, "EXPPAT_3", in_force=True, author=Author("person", str(DOSSIER))),
        a_document(2, "EXPPAT_3", in_force=False, author=Author("person", str(UUID(int=9)))),
        a_document(3, contested=True, contest=contest, masked=True, author=Author("organization", HOSPITAL)),
        a_document(4, version=2, series=UUID(int=5)),
        a_document(5, status="superseded", contested=True),
        a_document(6, status="archived", hidden_from_representatives=True),
        a_document(7, path=None, sha256=None, size=None, content_type="", title="", deposited_at=None),
        a_document(8, path=None, sha256=None, size=None, content_type="", title="", deposited_at=None, opens=False),
        a_document(9, "REMB", size=5 * 1024**3, author=Author("organization", "775685019")),
        a_document(10, "11502-2", title="Éléments : Ωμέγα 漢字 <script>alert(1)</script>"),
    )
