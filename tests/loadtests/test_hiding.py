"""A report repeats its command without what nobody else may know."""

import pytest

from loadtests.hiding import told_address, told_command


@pytest.mark.parametrize(
    "typed, told",
    [
        (["run", "steady", "--key", "S3CRET"], ["run", "steady", "--key", "..."]),
        (["--key=S3CRET", "--fund-key=S3=CRET", "--rate=5"], ["--key=...", "--fund-key=...", "--rate=5"]),
        (["--fund-key", "--S3CRET", "--rate", "5"], ["--fund-key", "...", "--rate", "5"]),
        (["--address=http://me:S3CRET@there:80/x"], ["--address=http://...@there:80/x"]),
        (["--address", "http://me:S3@CRET@there"], ["--address", "http://...@there"]),
    ],
)
def test_keys_and_passwords_are_not_repeated(typed: list[str], told: list[str]) -> None:
    """However they were typed; everything else stays, to be typed again."""
    assert told_command(typed) == told


def test_an_address_without_an_account_is_told_as_it_is() -> None:
    """An @ elsewhere in it is no account's."""
    assert told_address("http://there:80/x@y") == "http://there:80/x@y"
