"""Valid bytes spoilt at random, as a fuzzer spoils them: a few changes each, of every kind that bytes allow."""

import random
from collections.abc import Callable, Iterator, Sequence

_ODD_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF)
_ODD_TEXTS = (
    b"",
    b"\x00",
    b"\n\n",
    b"\xff\xfe",
    b'"',
    b"{}",
    b"[]",
    b"null",
    b"-1",
    b"1e999",
    b"9" * 40,
    b"\\u0000",
    b"=",
)

_Mutation = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def mutants(seed: int, originals: Sequence[bytes], count: int) -> Iterator[bytes]:
    """So many spoilt copies of the originals; the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(originals))
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            chance.choice(_MUTATIONS)(chance, data, originals)
        yield bytes(data)


def _flip(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice((*_ODD_NUMBERS, chance.randrange(256)))


def _cut(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _remove(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    start = chance.randrange(len(data) + 1)
    del data[start : start + chance.randrange(1, 40)]


def _insert(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    where = chance.randrange(len(data) + 1)
    data[where:where] = chance.choice((*_ODD_TEXTS, chance.randbytes(chance.randrange(1, 20))))


def _overwrite(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    new = chance.choice(_ODD_TEXTS)
    where = chance.randrange(len(data) + 1)
    data[where : where + len(new)] = new


def _repeat(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    start = chance.randrange(len(data) + 1)
    data[start:start] = data[start : start + chance.randrange(1, 80)]


def _splice(chance: random.Random, data: bytearray, originals: Sequence[bytes]) -> None:
    """The end of another original."""
    other = chance.choice(originals)
    data[chance.randrange(len(data) + 1) :] = other[chance.randrange(len(other) + 1) :]


_MUTATIONS: tuple[_Mutation, ...] = (_flip, _set, _cut, _remove, _insert, _overwrite, _repeat, _splice)
