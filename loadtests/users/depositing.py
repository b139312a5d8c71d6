"""A deposit, and the receipt that must come back."""

import hashlib
import json
from random import Random
from typing import Any

from loadtests.forms import CONTENT_TYPE, PDF, Deposit, form
from loadtests.profile import VISITS
from loadtests.users.visit import Headers, Visit

_LONGEST = 2 * int(VISITS["bytes of a deposited document, mean"].value)


def content(random: Random) -> bytes:
    """What looks like a PDF, of a length that no other has."""
    return PDF + random.randbytes(random.randrange(1_000, _LONGEST))


def wrong_receipt(receipt: Any, deposited: bytes) -> str | None:
    """What is wrong with it; None if it tells the very bytes that were sent."""
    right = (receipt["size"], receipt["sha256"]) == (len(deposited), hashlib.sha256(deposited).hexdigest())
    return None if right else "the receipt is not of what was sent"


def deposit(visit: Visit, person: str, headers: Headers, document_type: str, deposited: bytes) -> str:
    """The document's id."""
    receipt = visit.send(
        "deposit",
        "POST",
        f"/v1/dossiers/{person}/documents",
        lambda receipt: wrong_receipt(receipt, deposited),
        read=json.loads,
        headers={"Content-Type": CONTENT_TYPE} | dict(headers),
        data=form([Deposit(document_type, deposited)]),
    )
    return str(receipt["id"])
