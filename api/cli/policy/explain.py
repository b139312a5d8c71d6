"""`dmp policy explain`."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from api.cli.policy.asking import as_json, chosen
from api.settings import Settings
from models.facts import Case, Question

_OF_CONTEXT = ("mode", "reason", "authentication", "patient_present", "organization")
_OF_ACTION = ("document_type", "masked", "withheld", "professional")
_ASKED = ("subject", "action", "resource")


@click.command()
@click.argument("words", nargs=-1)
@click.option("--folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="A policy folder.")
@click.option("--subject", help="TYPE/ID, as professional/10001234565. Asks about what is stored.")
@click.option("--action", help="As document:read.")
@click.option("--resource", help="TYPE/ID, as document/<uuid>.")
@click.option("--at", help="The instant of the question, as 2026-11-23T10:00:00Z; by default now.")
@click.option("--mode", help="normal, break_glass or centre_15.")
@click.option("--reason", help="Why the glass is broken.")
@click.option("--authentication", help="cps, e_cps or pro_sante_connect is strong.")
@click.option("--patient-present", is_flag=True, help="The patient is present and consents.")
@click.option("--organization", help="Where a professional acts.")
@click.option("--document-type", help="Of a document to be deposited.")
@click.option("--masked", is_flag=True, help="To be deposited masked.")
@click.option("--withheld", is_flag=True, help="To be deposited withheld from the patient.")
@click.option("--professional", help="The RPPS of whom a right is for.")
@as_json
@click.pass_obj
def explain(settings: Settings, /, words: Sequence[str], folder: Path | None, *, as_json: bool, **asked: Any) -> None:
    """Say why the answer is what it is, and what it would take to change it.

    Ask with WORDS, a role, an action and facts that hold (`physician document:read masked habilitated`), or about what
    is stored, with --subject, --action and --resource. Whatever the answer is, the exit status is 0.
    """
    from api.cli.policy.showing import show
    from policy.engine import Engine
    from policy.errors import SituationError
    from policy.review.explain import explain as explain_situation
    from policy.review.explain import explain_case
    from policy.review.typed import situation_of_words

    stated = {name: value for name, value in asked.items() if value}
    if words and stated:
        raise click.ClickException(f"ask with words or about what is stored, not both: --{_option(next(iter(stated)))}")
    if words:
        try:
            situation = situation_of_words(words)
        except SituationError as error:
            raise click.ClickException(str(error)) from None
        report = explain_situation(Engine.load(chosen(folder, settings)), situation)
    else:
        question = _question(stated)
        engine = Engine.load(chosen(folder, settings))
        report = explain_case(engine, asyncio.run(_case(settings, question)))
    show(report, as_json=as_json)


def _question(stated: dict[str, Any]) -> Question:
    """The question of the options, read as the service reads a caller's."""
    from api.schemas.authzen import ActionAsked, Entity, EvaluationRequest
    from api.services.questions import question_of

    missing = [f"--{name}" for name in _ASKED if name not in stated]
    if missing:
        raise click.ClickException(
            f"a situation in words, or --subject, --action and --resource; not told: {', '.join(missing)}"
        )
    request = EvaluationRequest(
        Entity(*_reference(stated, "subject")),
        ActionAsked(stated["action"], {name: stated[name] for name in _OF_ACTION if name in stated}),
        Entity(*_reference(stated, "resource")),
        {name: stated[name] for name in _OF_CONTEXT if name in stated},
    )
    return question_of(request, _instant(stated.get("at")))


def _reference(stated: dict[str, Any], name: str) -> tuple[str, str]:
    kind, slash, identifier = stated[name].partition("/")
    if not (kind and slash and identifier):
        raise click.ClickException(f"--{name} is <type>/<id>")
    return kind, identifier


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise click.ClickException("--at is an instant with its offset, as 2026-11-23T10:00:00Z")
    return at.astimezone(UTC)


async def _case(settings: Settings, question: Question) -> Case:
    """What is stored about the question; nothing is written, the journal included."""
    from models.database import open_database
    from models.queries import fetch_cases

    database = await open_database(settings.database_url)
    try:
        (case,) = await fetch_cases(database, [question])
    finally:
        await database.close()
    return case


def _option(name: str) -> str:
    return name.replace("_", "-")
