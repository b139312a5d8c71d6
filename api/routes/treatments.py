"""The treatments of a dossier in one line of time: a view computed from its documents."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import FromPath, FromQuery
from litestar.types import ASGIApp

from api.acting import actor_of
from api.answers import JsonAnswer
from api.openapi import Documented
from api.paging import limit_of
from api.requests import Call
from api.routes.documents import view
from api.routes.treatments_examples import PAGE
from api.schemas import treatments as wire
from api.services.clinical import Medicine
from api.services.interactions import Interacting
from api.services.overlaps import Overlap
from api.services.repetitions import Repetition
from api.services.treatments import KINDS, Examined, TreatmentLine, Treatments, TreatmentService
from models.reference.interactions import COVERAGE
from models.vocabulary import InteractionLevel, Scope

_encode = msgspec.json.Encoder().encode
_LEVELS: Mapping[InteractionLevel, Mapping[str, str]] = {
    InteractionLevel.CONTRAINDICATED: {"fr": "Contre-indication", "en": "Contraindicated"},
    InteractionLevel.DISCOURAGED: {"fr": "Association déconseillée", "en": "Not recommended together"},
    InteractionLevel.PRECAUTION: {"fr": "Précaution d’emploi", "en": "Precaution for use"},
    InteractionLevel.TO_CONSIDER: {"fr": "À prendre en compte", "en": "To be taken into account"},
}


class TreatmentsController(Controller):
    """What a dossier says of treatments."""

    path = "/v1/dossiers/{dossier:uuid}"
    opt = {"scope": Scope.DOCUMENTS}  # noqa: RUF012 - the framework declares it as an instance's
    tags = ["Views"]  # noqa: RUF012 - likewise

    @get(
        "/treatments",
        summary="Treatments",
        documented=Documented("A page, newest first.", answer=wire.TreatmentPage, answer_examples={"first": PAGE}),
    )
    async def treatments(
        self,
        request: Call,
        dossier: FromPath[UUID],
        after: FromQuery[str | None] = None,
        limit: FromQuery[str | None] = None,
    ) -> ASGIApp:
        """Prescriptions, dispensations, care plans, administered and reimbursed treatments that the subject may read.

        Current versions; structured documents (FHIR R4, reimbursements) say which medicines. With the first page comes
        what is pointed out in all of it: a substance twice over the same days, and known interactions. Both are hints:
        the table of interactions is short, and what it covers is in `examined`.
        """
        service: TreatmentService = request.app.state["treatments"]
        found = await service.page(actor_of(request), dossier, after, limit_of(limit))
        return JsonAnswer(_encode(_page(found)))


def _page(found: Treatments) -> wire.TreatmentPage:
    lines, examined = [_line(each) for each in found.lines], found.examined
    if examined is None:
        return wire.TreatmentPage(lines, found.next, None, None, None)
    return wire.TreatmentPage(
        lines,
        found.next,
        [_repetition(each) for each in examined.repetitions],
        [_interaction(each) for each in examined.interactions],
        _examined(examined),
    )


def _line(line: TreatmentLine) -> wire.TreatmentLine:
    document = line.sheet.document
    medicines = [_medicine(each) for each in line.medicines]
    return wire.TreatmentLine(document.created_at, KINDS[document.document_type].value, view(line.sheet), medicines)


def _medicine(medicine: Medicine) -> wire.MedicineView:
    codes = [wire.MedicineCode(code.system.value, code.value) for code in medicine.codes]
    codes.sort(key=lambda code: (code.system, code.code))
    return wire.MedicineView(medicine.category.value, medicine.label, codes, medicine.begins, medicine.ends)


def _repetition(found: Repetition) -> wire.RepetitionView:
    return wire.RepetitionView(found.atc, found.level, list(found.labels), _overlap(found.overlap))


def _interaction(found: Interacting) -> wire.InteractionView:
    known = found.interaction
    return wire.InteractionView(
        known.level.value,
        dict(_LEVELS[known.level]),
        [wire.InteractingView(side.atc, side.label) for side in known.pair],
        wire.SourceView(known.source, known.year),
        _overlap(found.overlap),
    )


def _overlap(overlap: Overlap) -> wire.OverlapView:
    return wire.OverlapView(overlap.begins, overlap.ends, overlap.presumed, list(overlap.documents))


def _examined(examined: Examined) -> wire.ExaminedView:
    sources = [wire.SourceView(name, year) for name, year in COVERAGE.sources]
    coverage = wire.CoverageView(COVERAGE.pairs, COVERAGE.codes, sources)
    return wire.ExaminedView(examined.documents, examined.unstructured, examined.complete, coverage)
