"""What travels about treatments."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from api.schemas.documents import DocumentView


class MedicineCode(Struct, frozen=True):
    """A code, `atc` of a substance or `cip13` of a package."""

    system: str
    code: str


class MedicineView(Struct, frozen=True):
    """A medicine that a structured document tells of; `ends` is null where it does not say until when."""

    kind: str
    label: str
    codes: list[MedicineCode]
    begins: date
    ends: date | None


class TreatmentLine(Struct, frozen=True):
    """One document of the line of time; `kind` is its category. Without `medicines` it stands for itself."""

    at: datetime
    kind: str
    document: DocumentView
    medicines: list[MedicineView]


class OverlapView(Struct, frozen=True):
    """Days that treatments share, and where these stand; `presumed` where a document does not say until when."""

    begins: date
    ends: date
    presumed: bool
    documents: list[UUID]


class RepetitionView(Struct, frozen=True):
    """A substance (ATC `level` 5) twice over the same days; of level 4, a hint at neighbouring substances."""

    atc: str
    level: int
    labels: list[str]
    overlap: OverlapView


class InteractingView(Struct, frozen=True):
    """One side of a known interaction: a substance, or a group of substances."""

    atc: str
    label: str


class SourceView(Struct, frozen=True):
    """Who says so, in which year's version."""

    name: str
    year: int


class InteractionView(Struct, frozen=True):
    """A known interaction over the same days; `level` in the words of the source is `text`."""

    level: str
    text: dict[str, str]
    between: list[InteractingView]
    source: SourceView
    overlap: OverlapView


class CoverageView(Struct, frozen=True):
    """The table of interactions: what is not in it is not pointed out, which is no sign of safety."""

    pairs: int
    codes: int
    sources: list[SourceView]


class ExaminedView(Struct, frozen=True):
    """On what the above rests: documents that may be read, those of which no medicine is understood, the table.

    `complete` is false where there is more than is looked at for one answer.
    """

    documents: int
    unstructured: int
    complete: bool
    interactions: CoverageView


class TreatmentPage(Struct, frozen=True):
    """Lines, newest first; `next` is given back as `after`.

    `repeated`, `interactions` and `examined` are about all pages and come with the first; they are null on the others.
    """

    lines: list[TreatmentLine]
    next: str | None
    repeated: list[RepetitionView] | None
    interactions: list[InteractionView] | None
    examined: ExaminedView | None
