"""What every key service does, whatever keeps its masters: a file, or a token behind PKCS#11."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.servers.softhsm import SoftToken
from vault.errors import KeyStateError, SealBrokenError
from vault.keys.service import (
    GeneratedKey,
    KeyService,
    KeyState,
    Master,
    Name,
    Tree,
    WrappedKey,
    shard_name,
)
from vault.local_keys import LocalKeyring
from vault.pkcs11_keys import Pkcs11Keys
from vault.pkcs11_token import Token

NAME = shard_name(Tree.DOSSIER, 0x0A1, 1)

Open = Callable[[], KeyService]


@pytest.fixture(params=["local", "pkcs11"])
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """A key service of each kind in turn; whoever opens it once more is another process to it."""
    async with AsyncExitStack() as stack:

        def local() -> KeyService:
            path = tmp_path / "keyring.json"
            return LocalKeyring.open(path) if path.exists() else LocalKeyring.create(path)

        def pkcs11() -> KeyService:
            token: SoftToken = request.getfixturevalue("soft_token")
            keys = Pkcs11Keys(Token(token.hsm.module, token.label, token.pin), settle=lambda: None)
            stack.push_async_callback(keys.close)
            return keys

        yield {"local": local, "pkcs11": pkcs11}[request.param]


@pytest.fixture
def service(opened: Open) -> KeyService:
    """A key service of each kind in turn."""
    return opened()


@pytest.fixture
async def generated(service: KeyService) -> GeneratedKey:
    """A key of a shard, under the first master."""
    (key,) = await service.generate(Tree.DOSSIER, [NAME])
    return key


async def states(service: KeyService, tree: Tree = Tree.DOSSIER) -> list[KeyState]:
    """The state of each master of a tree, the oldest first."""
    return [master.state for master in (await service.status()).masters if master.tree == tree]


async def test_each_tree_begins_with_one_master(service: KeyService) -> None:
    """As soon as a key is asked for."""
    await service.generate(Tree.INDEX, [])
    await service.generate(Tree.INDEX, [NAME])
    status = await service.status()
    assert [Master(tree, 1, KeyState.PRIMARY) for tree in Tree] == list(status.masters)
    assert dict.fromkeys(Tree, 1) == status.floors


async def test_a_generated_key_unwraps(service: KeyService) -> None:
    """Each is another, of 32 bytes, under the primary of its tree."""
    names = [shard_name(Tree.JOURNAL, shard, 1) for shard in range(100)]
    keys = await service.generate(Tree.JOURNAL, names)
    assert [(key.wrapped.key_id, len(key.key)) for key in keys] == [("journal/1", 32)] * 100
    assert len({key.key for key in keys}) == len({key.wrapped.wrapped for key in keys}) == 100
    assert [await service.unwrap(*each) for each in zip(names, (key.wrapped for key in keys), strict=True)] == [
        key.key for key in keys
    ]


async def test_a_key_of_ours_is_wrapped(service: KeyService) -> None:
    """Twice, and never the same."""
    wrapped = await service.wrap(Tree.ROWS, [(NAME, bytes(32)), (NAME, bytes(32))])
    assert wrapped[0].wrapped != wrapped[1].wrapped
    assert [bytes(32)] * 2 == [await service.unwrap(NAME, each) for each in wrapped]


async def test_what_is_wrapped_is_a_sealed_value(service: KeyService, generated: GeneratedKey) -> None:
    """A format byte, the master's version, a nonce, the ciphertext and its tag: as vault/FORMAT.md says of both."""
    wrapped = generated.wrapped.wrapped
    assert wrapped[:5] == b"\x01\x00\x00\x00\x01"
    assert len(wrapped) == 5 + 12 + 32 + 16


@pytest.mark.parametrize(
    "other",
    [
        Name("dossier", NAME.owner, NAME.version),
        shard_name(Tree.DOSSIER, 0x0A2, 1),
        shard_name(Tree.JOURNAL, 0x0A1, 1),
        shard_name(Tree.DOSSIER, 0x0A1, 2),
    ],
)
async def test_a_key_does_not_pass_for_another(service: KeyService, generated: GeneratedKey, other: Name) -> None:
    """Of another purpose, owner or version."""
    with pytest.raises(SealBrokenError):
        await service.unwrap(other, generated.wrapped)
    with pytest.raises(SealBrokenError):
        await service.rewrap([(NAME, generated.wrapped), (other, generated.wrapped)])


@pytest.mark.parametrize(
    "key_id", ["", "dossier", "dossier/", "dossier/2", "dossier/01", "dossier/0a1/1", "journal/1", "signing/1", "x/1"]
)
async def test_a_key_is_opened_by_the_master_that_it_names(
    service: KeyService, generated: GeneratedKey, key_id: str
) -> None:
    """And by no other, whether there is one of that id or not."""
    renamed = replace(generated.wrapped, key_id=key_id)
    with pytest.raises(SealBrokenError):
        await service.unwrap(NAME, renamed)
    with pytest.raises(SealBrokenError):
        await service.rewrap([(NAME, renamed)])


async def test_a_key_does_not_open_under_the_next_master(service: KeyService, generated: GeneratedKey) -> None:
    """Its number is authenticated too."""
    await service.rotate(Tree.DOSSIER)
    wrapped = b"\x01\x00\x00\x00\x02" + generated.wrapped.wrapped[5:]
    with pytest.raises(SealBrokenError):
        await service.unwrap(NAME, WrappedKey("dossier/2", wrapped))


async def test_every_changed_bit_is_noticed(service: KeyService, generated: GeneratedKey) -> None:
    """Each alone, from the format byte to the tag; and the service goes on."""
    wrapped = generated.wrapped.wrapped
    for position in range(len(wrapped) * 8):
        changed = bytearray(wrapped)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(SealBrokenError):
            await service.unwrap(NAME, WrappedKey("dossier/1", bytes(changed)))
    assert generated.key == await service.unwrap(NAME, generated.wrapped)


async def test_every_truncation_is_noticed(service: KeyService, generated: GeneratedKey) -> None:
    """Down to nothing; and what is too long."""
    wrapped = generated.wrapped.wrapped
    for changed in [wrapped[:length] for length in range(len(wrapped))] + [wrapped + b"\0"]:
        with pytest.raises(SealBrokenError):
            await service.unwrap(NAME, WrappedKey("dossier/1", changed))


async def test_what_another_key_wrapped_does_not_open(service: KeyService, generated: GeneratedKey) -> None:
    """However well it is made."""
    prefix, nonce = generated.wrapped.wrapped[:5], bytes(12)
    forged = prefix + nonce + AESGCM(bytes(32)).encrypt(nonce, bytes(32), None)
    with pytest.raises(SealBrokenError):
        await service.unwrap(NAME, WrappedKey("dossier/1", forged))


async def test_rotation_gives_a_new_primary(service: KeyService, generated: GeneratedKey) -> None:
    """The one before still unwraps; the other trees stay as they are."""
    assert Master(Tree.DOSSIER, 2, KeyState.PRIMARY) == await service.rotate(Tree.DOSSIER)
    assert await states(service) == [KeyState.ENABLED, KeyState.PRIMARY]
    assert await states(service, Tree.JOURNAL) == [KeyState.PRIMARY]
    (fresh,) = await service.generate(Tree.DOSSIER, [NAME])
    assert fresh.wrapped.key_id == "dossier/2"
    assert [fresh.key, generated.key] == [
        await service.unwrap(NAME, fresh.wrapped),
        await service.unwrap(NAME, generated.wrapped),
    ]


async def test_rewrapping_keeps_the_key(service: KeyService, generated: GeneratedKey) -> None:
    """Under the primary of its own tree, many at once, in their order."""
    other = shard_name(Tree.JOURNAL, 7, 1)
    (second,) = await service.generate(Tree.JOURNAL, [other])
    await service.rotate(Tree.DOSSIER)
    given = [(NAME, generated.wrapped), (other, second.wrapped)] * 50
    rewrapped = await service.rewrap(given)
    assert [each.key_id for each in rewrapped] == ["dossier/2", "journal/1"] * 50
    assert len({each.wrapped for each in rewrapped}) == 100
    assert [generated.key, second.key] == [
        await service.unwrap(name, each) for (name, _), each in zip(given[:2], rewrapped[:2], strict=True)
    ]
    assert await service.rewrap([]) == []


async def test_a_disabled_master_does_nothing_until_it_is_enabled(service: KeyService, generated: GeneratedKey) -> None:
    """Neither unwraps nor rewraps; to disable or enable twice changes nothing."""
    await service.rotate(Tree.DOSSIER)
    for _ in range(2):
        await service.disable(Tree.DOSSIER, 1)
        assert await states(service) == [KeyState.DISABLED, KeyState.PRIMARY]
        with pytest.raises(SealBrokenError):
            await service.unwrap(NAME, generated.wrapped)
        with pytest.raises(SealBrokenError):
            await service.rewrap([(NAME, generated.wrapped)])
    for _ in range(2):
        await service.enable(Tree.DOSSIER, 1)
        assert await states(service) == [KeyState.ENABLED, KeyState.PRIMARY]
        assert generated.key == await service.unwrap(NAME, generated.wrapped)


async def test_below_the_floor_nothing_unwraps(service: KeyService, generated: GeneratedKey) -> None:
    """From it upwards all goes on; the state of what is below stays what it was."""
    await service.rotate(Tree.DOSSIER)
    (fresh,) = await service.generate(Tree.DOSSIER, [NAME])
    for _ in range(2):
        await service.set_floor(Tree.DOSSIER, 2)
        assert {**dict.fromkeys(Tree, 1), Tree.DOSSIER: 2} == (await service.status()).floors
    assert await states(service) == [KeyState.ENABLED, KeyState.PRIMARY]
    with pytest.raises(SealBrokenError):
        await service.unwrap(NAME, generated.wrapped)
    assert fresh.key == await service.unwrap(NAME, fresh.wrapped)


async def test_a_floor_never_sinks_nor_passes_the_primary(service: KeyService, generated: GeneratedKey) -> None:
    """Either is refused, and the floor stays."""
    await service.rotate(Tree.DOSSIER)
    await service.rotate(Tree.DOSSIER)
    await service.set_floor(Tree.DOSSIER, 2)
    for version in (1, 0, 4):
        with pytest.raises(KeyStateError):
            await service.set_floor(Tree.DOSSIER, version)
    assert (await service.status()).floors[Tree.DOSSIER] == 2
    await service.set_floor(Tree.DOSSIER, 3)
    assert (await service.status()).floors[Tree.DOSSIER] == 3


async def test_a_destroyed_master_is_gone_for_ever(service: KeyService, generated: GeneratedKey) -> None:
    """It is neither enabled nor disabled again, and its number is not given again."""
    await service.rotate(Tree.DOSSIER)
    for _ in range(2):
        await service.destroy(Tree.DOSSIER, 1)
        assert await states(service) == [KeyState.DESTROYED, KeyState.PRIMARY]
    with pytest.raises(SealBrokenError):
        await service.unwrap(NAME, generated.wrapped)
    for change in (service.enable, service.disable):
        with pytest.raises(KeyStateError, match="dossier/1 is destroyed"):
            await change(Tree.DOSSIER, 1)
    assert (await service.rotate(Tree.DOSSIER)).version == 3
    assert await states(service) == [KeyState.DESTROYED, KeyState.ENABLED, KeyState.PRIMARY]


async def test_a_disabled_master_is_destroyed(service: KeyService, generated: GeneratedKey) -> None:
    """Which is how it is done with care: disable, wait for complaints, destroy."""
    await service.rotate(Tree.DOSSIER)
    await service.disable(Tree.DOSSIER, 1)
    await service.destroy(Tree.DOSSIER, 1)
    assert await states(service) == [KeyState.DESTROYED, KeyState.PRIMARY]


async def test_the_primary_is_neither_disabled_nor_destroyed(service: KeyService, generated: GeneratedKey) -> None:
    """Something must wrap; to enable it changes nothing."""
    for change in (service.disable, service.destroy):
        with pytest.raises(KeyStateError, match="dossier/1 is primary"):
            await change(Tree.DOSSIER, 1)
    await service.enable(Tree.DOSSIER, 1)
    assert await states(service) == [KeyState.PRIMARY]


async def test_a_master_that_is_not_there_is_named(service: KeyService, generated: GeneratedKey) -> None:
    """Whatever is asked of it."""
    for change in (service.enable, service.disable, service.destroy):
        for version in (0, 2, -1):
            with pytest.raises(KeyStateError, match=f"there is no dossier/{version}$"):
                await change(Tree.DOSSIER, version)


async def test_another_process_finds_what_was_done(opened: Open, service: KeyService, generated: GeneratedKey) -> None:
    """States, floors and masters are kept where all see them."""
    await service.rotate(Tree.DOSSIER)
    await service.rotate(Tree.DOSSIER)
    await service.disable(Tree.DOSSIER, 1)
    await service.set_floor(Tree.DOSSIER, 2)
    (fresh,) = await service.generate(Tree.DOSSIER, [NAME])
    other = opened()
    seen, told = await other.status(), await service.status()
    assert (told.masters, told.floors) == (seen.masters, seen.floors)
    assert fresh.key == await other.unwrap(NAME, fresh.wrapped)


async def test_a_master_made_by_another_process_is_met_at_once(
    opened: Open, service: KeyService, generated: GeneratedKey
) -> None:
    """What names it may be read a moment after it was made."""
    other = opened()
    assert generated.key == await other.unwrap(NAME, generated.wrapped)
    await service.rotate(Tree.DOSSIER)
    (fresh,) = await service.generate(Tree.DOSSIER, [NAME])
    assert fresh.key == await other.unwrap(NAME, fresh.wrapped)
    await service.rotate(Tree.DOSSIER)
    (rewrapped,) = await service.rewrap([(NAME, fresh.wrapped)])
    (again,) = await other.rewrap([(NAME, rewrapped)])
    assert again.key_id == "dossier/3"


async def test_no_key_is_shown(service: KeyService, generated: GeneratedKey) -> None:
    """Neither in what the service says of itself nor in its representation."""
    shown = repr(service) + repr(await service.status()) + repr(generated)
    assert not [text for text in (generated.key.hex(), repr(generated.key)[2:-1]) if text in shown]


async def test_a_probe_answers(service: KeyService) -> None:
    """In silence."""
    probe: Callable[[], Awaitable[None]] = service.probe
    await probe()
