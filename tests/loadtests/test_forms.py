"""Deposits are forms that any reader of forms reads."""

from email import message_from_bytes
from email.message import Message

from loadtests.forms import CONTENT_TYPE, Deposit, form

FIRST, SECOND = Deposit("11502-2", b"some \r\n bytes", "d-1"), Deposit("11502-2", b"others", "d-2")


def parts(body: bytes) -> list[Message]:
    message = message_from_bytes(b"Content-Type: " + CONTENT_TYPE.encode() + b"\r\n\r\n" + body)
    return list(message.walk())[1:]


def test_a_deposit_has_both_parts() -> None:
    """An ordinary reader of multipart finds the metadata and the very bytes of the content."""
    body = form([FIRST])
    names = [part.get_param("name", header="content-disposition") for part in parts(body)]
    assert (names, b"\r\n\r\nsome \r\n bytes\r\n--" in body) == (["metadata", "content"], True)


def test_a_batch_has_both_parts_of_each() -> None:
    """One after the other, each with its dossier."""
    found = [str(part.get_payload()) for part in parts(form([FIRST, SECOND]))]
    assert ['"d-1"' in found[0], '"d-2"' in found[2], len(found)] == [True, True, 4]
