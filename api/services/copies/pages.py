"""`index.html`: a copy as a person opens it, without network and without a script.

The journal may be long, so its sentences are not in the template's hands: they go between two halves of the record.
"""

from collections.abc import Mapping
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined

from api.services.copies import wording
from api.services.copies.record import Record
from models.facts import Reference
from vault.journal.entry import Entry
from vault.journal.sentences import Words, sentence

_ERASED = "Un accès, dont le détail a été effacé."
_LINES = "<!-- lines -->"
"""Where the sentences go. What others wrote is escaped, and cannot be this."""


def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters |= {
        "day": wording.day,
        "moment": wording.moment,
        "iso": wording.iso,
        "size": wording.size,
        "marks": wording.marks,
        "documents": lambda number: wording.count(number, "document", "documents"),
        "link": quote,
    }
    return environment


_ENVIRONMENT = _environment()


def _template(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


_INDEX, _LINE = _template("index.html"), _ENVIRONMENT.from_string(_template("line.html"))


def halves(record: Record) -> tuple[bytes, bytes]:
    """The page before and after the sentences of the journal."""
    spaces = wording.by_space(record.documents)
    environment = _ENVIRONMENT.overlay()
    environment.filters = _ENVIRONMENT.filters | {
        "author": lambda each: record.directory.told(Reference(each.author.type, each.author.id))
    }
    written = environment.from_string(_INDEX).render(
        dossier=record.dossier,
        at=record.at,
        state=wording.STATES[record.dossier.state],
        total=len(record.documents),
        spaces=spaces,
        labels=wording.SPACES,
        in_force=[each for each in record.documents if each.in_force],
        contested=[each for each in record.documents if each.contested],
        with_journal=record.journal is not None,
        journal_whole=record.journal_whole,
        lines=_LINES,
    )
    before, _, after = written.partition(_LINES)
    return before.encode(), after.encode()


def told(entry: Entry | None, reasons: Mapping[str, Words]) -> bytes:
    """One entry of the journal in a sentence."""
    if entry is None:
        return _LINE.render(at=None, sentence=_ERASED).encode()
    return _LINE.render(at=entry.at, sentence=sentence(entry, reasons).fr).encode()
