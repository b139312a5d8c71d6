"""What tests of messages share: who writes to whom, and how it is asked."""

from typing import Any

import httpx

from tests.api.whole import HOLDER, INS, NURSE, OTHER_INS, TREATING, Json, Whole

PATIENT, STRANGER, SOCIAL, ABSENT = "10000000041", "10000000033", "10000000074", "10000000090"
COLLEAGUE = f"professional/{NURSE}"
INSURER, AGENT = "775567092", "agent-1"
PROHIBITED = (f"organization/{INSURER}", f"staff/{AGENT}")

MORE: tuple[Json, ...] = (
    {"kind": "professional", "rpps": PATIENT, "profession": "physician", "organizations": [], "ins": INS},
    {"kind": "professional", "rpps": STRANGER, "profession": "pharmacist", "organizations": []},
    {"kind": "professional", "rpps": SOCIAL, "profession": "social_worker", "organizations": []},
    {"kind": "organization", "id": INSURER, "type": "complementary_insurer", "name": "Insurer"},
    {"kind": "staff", "id": AGENT, "organization": INSURER},
    {"kind": "representation", "dossier_ins": INS, "person_ins": OTHER_INS, "as": "caregiver"},
)

Told = tuple[int, str]


async def send(
    dmp: Whole, to: str = NURSE, who: str = TREATING, *, stated: dict[str, str] | None = None, **more: Any
) -> Told:
    """What comes of sending a message: 201 and its id, or the problem's status and its rule or sentence."""
    body = {"to": to, "subject": "Avis", "body": "Qu'en pensez-vous ?"} | more
    answer = await dmp.http.post(dmp.path("/messages"), json=body, headers=dmp.headers(who) | (stated or {}))
    told = answer.json()
    return answer.status_code, told.get("id") or told.get("reason") or told["detail"]


async def sent(dmp: Whole, to: str = NURSE, who: str = TREATING, **more: Any) -> str:
    """The id of a message that was just sent."""
    status, identity = await send(dmp, to, who, **more)
    assert status == 201, identity
    return identity


async def ask(dmp: Whole, tail: str = "", who: str = COLLEAGUE, stated: dict[str, str] | None = None) -> httpx.Response:
    """One request about messages, by what follows `/v1/messages` in its address."""
    return await dmp.http.get(f"/v1/messages{tail}", headers=dmp.headers(who) | (stated or {}))


async def refused(dmp: Whole, tail: str = "", who: str = COLLEAGUE, stated: dict[str, str] | None = None) -> Told:
    """The status of a refusal and the rule that it names."""
    answer = await ask(dmp, tail, who, stated)
    return answer.status_code, answer.json()["reason"]


async def listed(dmp: Whole, tail: str = "", who: str = COLLEAGUE) -> list[str]:
    """The ids of a page."""
    answer = await ask(dmp, tail, who)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["messages"]]


async def read(dmp: Whole, message: str, who: str = COLLEAGUE) -> Json:
    """A message."""
    answer = await ask(dmp, f"/{message}", who)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


async def put(dmp: Whole, tail: str, who: str = HOLDER, **body: object) -> None:
    """A change of the dossier."""
    answer = await dmp.http.put(dmp.path(tail), json=body, headers=dmp.headers(who))
    assert answer.is_success, answer.text


async def grant(dmp: Whole, rpps: str = NURSE) -> None:
    """The holder's consent."""
    await put(dmp, f"/accesses/professional/{rpps}", access="granted", until=None)
