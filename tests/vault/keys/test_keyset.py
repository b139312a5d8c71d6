"""Keys that wrap other keys, and which of their versions may."""

from collections.abc import Callable

import pytest

from vault.errors import KeyStateError, SealBrokenError
from vault.keys.keyset import Keyset, WrappingKey
from vault.keys.service import KeyState, Name, WrappedKey
from vault.sealing import SealingKey

NAME = Name("shard", b"owner", 1)
OTHER_NAMES = [Name("dossier", b"owner", 1), Name("shard", b"other", 1), Name("shard", b"owner", 2)]
FIRST, SECOND = WrappingKey("dossier/1", 1, b"\x01" * 32), WrappingKey("dossier/2", 2, b"\x02" * 32)
NONCE = bytes(12)

GROWN = Keyset(
    "dossier",
    {1: KeyState.DESTROYED, 2: KeyState.DISABLED, 3: KeyState.ENABLED, 4: KeyState.PRIMARY},
    floor=2,
)


def test_what_a_key_wraps_is_a_sealed_value() -> None:
    """As any other of that number, with the facts of its name and the wrapping key's id."""
    wrapped = FIRST.wrap(NAME, bytes(32), NONCE)
    assert wrapped == WrappedKey(
        "dossier/1", SealingKey.of(1, FIRST.key).seal(bytes(32), NONCE, *NAME.facts("dossier/1"))
    )
    assert FIRST.unwrap(NAME, wrapped) == bytes(32)


def test_a_key_is_wrapped_anew_under_another() -> None:
    """As if that one had wrapped it in the first place."""
    rewrapped = FIRST.rewrap(NAME, FIRST.wrap(NAME, b"k" * 32, NONCE), SECOND, NONCE)
    assert rewrapped == SECOND.wrap(NAME, b"k" * 32, NONCE)


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_a_key_does_not_pass_for_another(name: Name) -> None:
    """Of another purpose, owner or version."""
    wrapped = FIRST.wrap(NAME, bytes(32), NONCE)
    with pytest.raises(SealBrokenError):
        FIRST.unwrap(name, wrapped)
    with pytest.raises(SealBrokenError):
        FIRST.rewrap(name, wrapped, SECOND, NONCE)


@pytest.mark.parametrize(
    "wrapped",
    [
        WrappedKey("dossier/2", FIRST.wrap(NAME, bytes(32), NONCE).wrapped),
        WrappedKey("dossier/1", SECOND.wrap(NAME, bytes(32), NONCE).wrapped),
        WrappedKey("dossier/1", FIRST.wrap(NAME, bytes(32), NONCE).wrapped[:16]),
        WrappedKey("dossier/1", b""),
    ],
    ids=["another id", "another key's", "no whole nonce", "nothing"],
)
def test_a_key_opens_nothing_but_what_it_wrapped(wrapped: WrappedKey) -> None:
    """And does not say what was wrong."""
    with pytest.raises(SealBrokenError):
        FIRST.unwrap(NAME, wrapped)


def test_a_key_shows_its_id_alone() -> None:
    """When printed."""
    assert repr(FIRST) == "WrappingKey('dossier/1')"


def test_a_keyset_begins_with_one_version() -> None:
    """Which is primary, and the floor."""
    first = Keyset.first("dossier")
    assert (first.states, first.floor, first.primary) == ({1: KeyState.PRIMARY}, 1, 1)


def test_a_rotation_gives_a_new_primary_and_keeps_the_one_before() -> None:
    """With a number that was never given."""
    rotated = GROWN.rotated()
    assert rotated.primary == 5
    assert rotated.states == {**GROWN.states, 4: KeyState.ENABLED, 5: KeyState.PRIMARY}


def test_only_what_is_primary_or_enabled_unwraps() -> None:
    """From the floor upwards."""
    assert [version for version in range(6) if GROWN.unwraps(version)] == [3, 4]
    assert [version for version in range(6) if GROWN.with_floor(4).unwraps(version)] == [4]


@pytest.mark.parametrize(
    "change, version, states",
    [
        (Keyset.enabled, 2, {2: KeyState.ENABLED}),
        (Keyset.enabled, 3, {}),
        (Keyset.enabled, 4, {}),
        (Keyset.disabled, 2, {}),
        (Keyset.disabled, 3, {3: KeyState.DISABLED}),
        (Keyset.destroyed, 1, {}),
        (Keyset.destroyed, 2, {2: KeyState.DESTROYED}),
        (Keyset.destroyed, 3, {3: KeyState.DESTROYED}),
    ],
)
def test_a_version_changes_its_state(
    change: Callable[[Keyset, int], Keyset], version: int, states: dict[int, KeyState]
) -> None:
    """Alone, and not again if it has that state."""
    assert change(GROWN, version).states == {**GROWN.states, **states}


@pytest.mark.parametrize(
    "change, version, said",
    [
        (Keyset.enabled, 1, "dossier/1 is destroyed"),
        (Keyset.disabled, 1, "dossier/1 is destroyed"),
        (Keyset.disabled, 4, "dossier/4 is primary"),
        (Keyset.destroyed, 4, "dossier/4 is primary: rotate first"),
        (Keyset.enabled, 5, "there is no dossier/5"),
        (Keyset.disabled, 0, "there is no dossier/0"),
        (Keyset.destroyed, -1, "there is no dossier/-1"),
        (Keyset.with_floor, 1, "the floor of dossier goes from 2 to 4, not 1"),
        (Keyset.with_floor, 5, "the floor of dossier goes from 2 to 4, not 5"),
    ],
)
def test_what_a_keyset_forbids_is_said(change: Callable[[Keyset, int], Keyset], version: int, said: str) -> None:
    """By the key, and why."""
    with pytest.raises(KeyStateError) as raised:
        change(GROWN, version)
    assert str(raised.value) == said


@pytest.mark.parametrize(
    "states, floor",
    [
        ({}, 1),
        ({1: KeyState.ENABLED}, 1),
        ({1: KeyState.PRIMARY, 2: KeyState.PRIMARY}, 1),
        ({0: KeyState.ENABLED, 1: KeyState.PRIMARY}, 1),
        ({1: KeyState.PRIMARY, 2**32: KeyState.ENABLED}, 1),
        ({1: KeyState.PRIMARY}, 2),
        ({1: KeyState.PRIMARY}, 0),
    ],
)
def test_what_is_no_keyset_is_refused(states: dict[int, KeyState], floor: int) -> None:
    """One primary, and a floor that is not above it."""
    with pytest.raises(ValueError, match="dossier"):
        Keyset("dossier", states, floor)
