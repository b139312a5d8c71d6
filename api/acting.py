"""On whose behalf a request of the vault is made: the headers `DMP-...`."""

from urllib.parse import unquote_to_bytes

from api.errors import MalformedRequestError
from api.requests import Call, caller_of
from api.services.judging import Actor
from models.facts import Context, Reference
from models.vocabulary import Mode

_BOOLEANS = {"true": True, "false": False, "": False}


def actor_of(call: Call) -> Actor:
    """The subject and what is stated of the moment. Raises MalformedRequestError."""
    kind, slash, identifier = _header(call, "DMP-Subject").partition("/")
    if not (kind and slash and identifier):
        raise MalformedRequestError("The header DMP-Subject must be a subject's type, a slash, and its id.")
    present = _header(call, "DMP-Patient-Present").lower()
    if present not in _BOOLEANS:
        raise MalformedRequestError("The header DMP-Patient-Present must be true or false.")
    context = Context(
        mode=_header(call, "DMP-Mode") or Mode.NORMAL.value,
        reason=_reason(call),
        authentication=_header(call, "DMP-Authentication") or None,
        patient_present=_BOOLEANS[present],
        organization=_header(call, "DMP-Organization") or None,
    )
    return Actor(caller_of(call), Reference(kind, identifier), context)


def _reason(call: Call) -> str:
    try:
        reason = unquote_to_bytes(_header(call, "DMP-Reason")).decode()
    except UnicodeDecodeError:
        raise MalformedRequestError("The header DMP-Reason must be UTF-8, percent-encoded.") from None
    if "\0" in reason:
        raise MalformedRequestError("The header DMP-Reason must not hold the character NUL.")
    return reason


def _header(call: Call, name: str) -> str:
    """One header's value. Two of the same name would leave open which one counts."""
    wanted = name.lower().encode("ascii")
    values = [value for key, value in call.scope["headers"] if key == wanted]
    if len(values) > 1:
        msg = f"The header {name} stands twice."
        raise MalformedRequestError(msg)
    return values[0].decode("latin-1").strip() if values else ""
