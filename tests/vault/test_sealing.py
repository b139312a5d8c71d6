"""Small sealed values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.errors import SealBrokenError
from vault.sealing import SealingKey, derive, pack

KEY = bytes(range(32))
NONCE = bytes(range(12))


def test_fields_are_packed_behind_their_lengths() -> None:
    """Two empty fields differ from one, and a length stands in four bytes."""
    assert pack(b"ab", b"") == b"\x00\x00\x00\x02ab\x00\x00\x00\x00"


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_two_lists_of_fields_never_pack_to_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    """No context can be mistaken for another."""
    assert (pack(*one) == pack(*other)) == (one == other)


def test_each_use_has_its_key() -> None:
    """Derived keys differ with the use, and depend on nothing else."""
    assert len({derive(KEY, b"text", b"ins"), derive(KEY, b"textins"), derive(KEY, b"wrap"), KEY}) == 4
    assert derive(KEY, b"wrap") == derive(KEY, b"wrap")


@given(st.binary(max_size=100), st.lists(st.binary(max_size=20), max_size=3))
def test_what_was_sealed_opens_with_the_same_facts(plaintext: bytes, facts: list[bytes]) -> None:
    """Sealing loses nothing."""
    key = SealingKey.of(7, KEY)
    assert key.open(key.seal(plaintext, NONCE, *facts), *facts) == plaintext


def test_what_was_sealed_opens_with_nothing_else() -> None:
    """Other facts, another key, another number, any bit flipped, any byte cut off: one error."""
    key = SealingKey.of(7, KEY)
    sealed = key.seal(b"secret", NONCE, b"fact")
    attempts = [(key, sealed, [b"fake"]), (key, sealed, []), (key, sealed, [b"fa", b"ct"])]
    attempts += [(SealingKey.of(8, KEY), sealed, [b"fact"]), (SealingKey.of(7, KEY[::-1]), sealed, [b"fact"])]
    attempts += [(key, sealed[:length], [b"fact"]) for length in range(len(sealed))]
    for bit in range(8 * len(sealed)):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        attempts.append((key, bytes(flipped), [b"fact"]))
    for attempt, value, facts in attempts:
        with pytest.raises(SealBrokenError, match=r"^what was stored does not open$"):
            attempt.open(value, *facts)
