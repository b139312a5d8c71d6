"""`dossier.pdf`: the record's summary, who has access to it, and the list of its documents, to be printed.

Lists are laid out some rows at a time, so that a long one needs no more memory than its finished pages.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO
from itertools import islice
from typing import Any

from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, NextPageTemplate, PageBreak, Paragraph, Spacer, Table

from api.schemas.exports import ExportedDocument
from api.services.copies import wording
from api.services.copies.record import Accesses, Record
from api.services.copies.sheets import (
    H1,
    H2,
    INNER,
    LIST,
    MARK,
    MISSING,
    NOTE,
    STRONG,
    TABLE,
    TEXT,
    More,
    Sheets,
    paragraph,
    shown,
)
from api.services.copies.wording import Directory
from models.facts import Reference
from models.vocabulary import SubjectType

_COLUMNS = {"Date": 22 * mm, "Document": 72 * mm, "Auteur": 42 * mm, "À savoir": 38 * mm}
_ROWS = 25
"""So many are laid out at once."""

_ABOUT_MISSING = (
    f"Le signe {MISSING} remplace un caractère que cette impression ne sait pas montrer\u00a0: "
    "la page index.html le montre."
)


def printed(record: Record) -> bytes:
    """The file; the same record has the same bytes. Never on two threads at once."""
    written = BytesIO()
    story: list[Flowable] = []
    story.append(More(story, _flowables(record)))
    Sheets(written, f"Dossier {record.dossier.id}, copie du {wording.day(record.at)}", _COLUMNS).build(story)
    return written.getvalue()


def _flowables(record: Record) -> Iterator[list[Flowable]]:
    yield _summary(record)
    if record.accesses is not None:
        yield from _accesses(record.accesses, record.directory)
    spaces = wording.by_space(record.documents)
    if spaces:
        yield [NextPageTemplate(LIST), PageBreak()]
    for space, held in spaces.items():
        yield [CondPageBreak(40 * mm), paragraph(f"{wording.SPACES[space]} ({len(held)})", H2)]
        rows = (_document_row(each, record.directory) for each in held)
        while some := list(islice(rows, _ROWS)):
            yield [Table(some, tuple(_COLUMNS.values()), style=TABLE)]


def _summary(record: Record) -> list[Flowable]:
    dossier, spaces = record.dossier, wording.by_space(record.documents)
    told = [
        ("Numéro du dossier", str(dossier.id)),
        ("État", wording.STATES[dossier.state]),
        *([("Date de naissance", wording.day(dossier.born))] if dossier.born else []),
        ("Copie demandée le", wording.moment(record.at)),
        ("Équipe de soins", "accès consenti" if dossier.care_team_consent else "accès non consenti"),
        ("Bris de glace", "refusé" if dossier.refuses_break_glass else "accepté"),
        ("Centre 15", "refusé" if dossier.refuses_centre_15 else "accepté"),
        ("Documents masqués, en urgence", "montrés" if dossier.masked_in_emergency else "non montrés"),
    ]
    counts = [(label, str(len(spaces.get(space, ())))) for space, label in wording.SPACES.items()]
    counts.append(("Total", str(len(record.documents))))
    flowables: list[Flowable] = [
        paragraph("Dossier médical partagé", H1),
        paragraph("Ce que la personne qui a demandé cette copie peut lire, et rien d’autre.", NOTE),
        Spacer(0, 4 * mm),
        _pairs(told),
        paragraph("Documents par espace", H2),
        _pairs_in_two(counts),
    ]
    in_force = [each for each in record.documents if each.in_force]
    contested = [each for each in record.documents if each.contested]
    if in_force or contested:
        flowables.append(paragraph("À savoir", H2))
    flowables += [paragraph(f"Directives anticipées en vigueur\u00a0: {_named(each)}", TEXT) for each in in_force]
    flowables += [paragraph(f"Contesté\u00a0: {_named(each)}", TEXT) for each in contested[:_ROWS]]
    if len(contested) > _ROWS:
        flowables.append(paragraph(f"et {len(contested) - _ROWS} autres, marqués dans la liste", TEXT))
    if any(MISSING in shown(each.title) for each in record.documents):
        flowables += [Spacer(0, 3 * mm), paragraph(_ABOUT_MISSING, NOTE)]
    return flowables


def _named(document: ExportedDocument) -> str:
    return f"{document.title or document.label}, {wording.day(document.created_at)}"


def _pairs(told: Sequence[tuple[str, str]]) -> Table:
    rows = [[paragraph(name, NOTE), paragraph(value, STRONG)] for name, value in told]
    return Table(rows, (60 * mm, INNER - 60 * mm), style=TABLE)


def _pairs_in_two(told: Sequence[tuple[str, str]]) -> Table:
    """An even number of pairs, the first half beside the second."""
    half, quarter = len(told) // 2, INNER / 4
    rows = [
        [cell for name, value in pairs for cell in (paragraph(name, NOTE), paragraph(value, STRONG))]
        for pairs in zip(told[:half], told[half:], strict=True)
    ]
    return Table(rows, (quarter * 1.4, quarter * 0.6) * 2, style=TABLE)


def _accesses(accesses: Accesses, directory: Directory) -> Iterator[list[Flowable]]:
    yield [CondPageBreak(40 * mm), paragraph("Qui a accès au dossier, ou en est écarté", H2)]
    rows = (
        (directory.told(each.party), wording.RELATIONS[each.kind], _period(each.since, each.until))
        for each in accesses.relations
    )
    people = (
        (
            directory.told(Reference(SubjectType.PERSON, str(each.person))),
            wording.REPRESENTATIONS[each.kind],
            _period(None, each.until),
        )
        for each in accesses.representations
    )
    everyone, some = iter((*rows, *people)), list[tuple[str, str, str]]()
    nobody = True
    while some := list(islice(everyone, _ROWS)):
        nobody = False
        yield [Table([_access_row(each) for each in some], (84 * mm, 40 * mm, 50 * mm), style=TABLE)]
    if nobody:
        yield [paragraph("Personne, en dehors de la personne titulaire.", TEXT)]


def _access_row(told: tuple[str, str, str]) -> list[Paragraph]:
    return [paragraph(told[0], TEXT), paragraph(told[1], MARK), paragraph(told[2], NOTE)]


def _period(since: datetime | None, until: datetime | None) -> str:
    begins = f"depuis le {wording.day(since)}" if since else ""
    ends = f"jusqu’au {wording.day(until)}" if until else ""
    return ", ".join(part for part in (begins, ends) if part)


def _document_row(document: ExportedDocument, directory: Directory) -> list[Any]:
    author = Reference(document.author.type, document.author.id)
    about = document.label if document.version == 1 else f"{document.label}, version {document.version}"
    return [
        paragraph(wording.short_day(document.created_at), TEXT),
        [paragraph(document.title or document.label, STRONG), paragraph(about, NOTE)],
        paragraph(directory.told(author), TEXT),
        [paragraph(f"• {mark}", MARK) for mark in wording.marks(document)],
    ]
