"""What is particular to masters in a token: how it is reached, lost and found again, and what else may be in it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass
from pkcs11._pkcs11 import lib
from pkcs11.attributes import AttributeMapper

from tests.servers.softhsm import SoftHsm, SoftToken
from vault.errors import KeyringError, KeyStateError, KeysUnavailableError, SealBrokenError
from vault.keys.service import GeneratedKey, KeyState, Tree, WrappedKey, shard_name
from vault.locations import keys_from_url
from vault.pkcs11_keys import Pkcs11Keys
from vault.pkcs11_masters import SETTLE
from vault.pkcs11_token import OpenToken, Token

NAME = shard_name(Tree.DOSSIER, 1, 1)
KEPT = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
NOW = 1000.0


def module(token: SoftToken) -> lib:
    """The module as this process has loaded it."""
    loaded: lib = pkcs11.lib(str(token.hsm.module))
    return loaded


def behind(token: SoftToken) -> pkcs11.Session:
    """Another session of the token, logged in with ours: what an operator's tools can do."""
    return module(token).get_token(token_label=token.label).open(rw=True)


def find(session: pkcs11.Session, label: str) -> list[Any]:
    """Objects by their label."""
    return list(session.get_objects({Attribute.LABEL: label}))


def plant(session: pkcs11.Session, label: Any, identity: bytes = b"", bits: int = 256, /, **attributes: bool) -> Any:
    """A key that we did not make."""
    return session.generate_key(
        KeyType.AES,
        bits,
        id=identity,
        label=label,
        store=True,
        capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
        template=KEPT | {Attribute[name]: value for name, value in attributes.items()},
    )


class Settling:
    """The time between making a candidate and deciding, in which a test does what others would."""

    def __init__(self) -> None:
        self.acts: list[Callable[[], object]] = []
        self.times = 0

    def __call__(self) -> None:
        self.times += 1
        if self.acts:
            self.acts.pop(0)()


@pytest.fixture
def settling() -> Settling:
    return Settling()


@pytest.fixture
def token(soft_token: SoftToken) -> Token:
    """An empty token."""
    return Token(soft_token.hsm.module, soft_token.label, soft_token.pin)


@pytest.fixture
async def keys(token: Token, settling: Settling) -> AsyncIterator[Pkcs11Keys]:
    """The service over it, for which no time passes: it reads the token again only where it must."""
    service = Pkcs11Keys(token, settle=settling, clock=lambda: NOW)
    yield service
    await service.close()


@pytest.fixture
async def generated(keys: Pkcs11Keys) -> GeneratedKey:
    """A key under the first master."""
    (key,) = await keys.generate(Tree.DOSSIER, [NAME])
    return key


async def test_a_token_is_opened_by_its_url(soft_token: SoftToken, generated: GeneratedKey) -> None:
    """The PIN is the first line of its file; neither is shown."""
    soft_token.pin_file.write_text(f"{soft_token.pin}\r\nsecond line\n")
    keys = keys_from_url(soft_token.url)
    assert generated.key == await keys.unwrap(NAME, generated.wrapped)
    assert f"Pkcs11Keys({soft_token.label!r})" == repr(keys)
    status = await keys.status()
    assert (f"PKCS#11 token {soft_token.label}", 0) == (status.service, status.generation)
    await keys.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pkcs11:token=secret;pin-value=secret",
        "pkcs11://secret/module.so?token=secret&pin_file=/pin",
        "pkcs11://[secret/module.so?token=secret&pin_file=/pin",
        "pkcs11:///module.so",
        "pkcs11:///module.so?token=secret",
        "pkcs11:///module.so?pin_file=/secret",
        "pkcs11:///module.so?token=secret&pin_file=",
        "pkcs11:///module.so?token=secret&token=b&pin_file=/pin",
        "pkcs11:///module.so?token=secret&pin_file=/pin&pin=1234",
        "file:///secret",
    ],
)
def test_another_url_is_refused_without_repeating_it(url: str) -> None:
    """Somebody may have written his PIN into it."""
    with pytest.raises(ValueError, match=r"^an HSM is pkcs11:///module\.so\?token=LABEL&pin_file=/file$"):
        Pkcs11Keys.from_url(url)


@pytest.mark.parametrize(
    "content, mode, told",
    [
        (None, 0o600, "the PIN cannot be read: "),
        (b"1234\n", 0o640, "the PIN is open to others: chmod 600 "),
        (b"", 0o600, "the PIN is empty: "),
        (b"\n1234\n", 0o600, "the PIN is empty: "),
        (b"\xff\n", 0o600, "the PIN is not text: "),
    ],
)
def test_a_pin_that_does_not_do_is_refused(tmp_path: Path, content: bytes | None, mode: int, told: str) -> None:
    """Before the module is loaded."""
    path = tmp_path / "pin"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(KeyringError, match=rf"^{told}{path}"):
        Pkcs11Keys.from_url(f"pkcs11:///module.so?token=dmp&pin_file={path}")


@pytest.mark.parametrize("content", [None, b"not a library"])
def test_a_module_that_does_not_load_is_refused(tmp_path: Path, soft_token: SoftToken, content: bytes | None) -> None:
    """By its path."""
    path = tmp_path / "module.so"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KeyringError, match=rf"^the PKCS#11 module cannot be used: {path} \("):
        Pkcs11Keys.from_url(f"pkcs11://{path}?token=dmp&pin_file={soft_token.pin_file}")


def test_a_token_that_is_not_there_is_refused(soft_token: SoftToken) -> None:
    """By its label."""
    url = soft_token.url.replace(quote(soft_token.label), "other")
    with pytest.raises(KeyringError, match=r"^there is no token labelled 'other' behind /.*\.so$"):
        Pkcs11Keys.from_url(url)


def test_a_label_that_two_tokens_have_is_refused(soft_token: SoftToken) -> None:
    """Nothing says which of them is meant."""
    soft_token.initialise()
    with pytest.raises(KeyringError, match=r"^there is more than one token labelled"):
        Pkcs11Keys.from_url(soft_token.url)


def test_a_token_without_aes_gcm_is_refused(hsm: SoftHsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said what it lacks."""
    poor = hsm.new_token(tmp_path, settings="slots.mechanisms = CKM_AES_KEY_GEN")
    monkeypatch.setenv("SOFTHSM2_CONF", poor.environment["SOFTHSM2_CONF"])
    with pytest.raises(KeyringError, match=r"^the token 'dmp .*' does not do AES_GCM$"):
        Pkcs11Keys.from_url(poor.url)


def test_a_wrong_pin_is_tried_once(soft_token: SoftToken) -> None:
    """Tokens lock after a few."""
    token = Token(soft_token.hsm.module, soft_token.label, "0000")
    with pytest.raises(KeyringError, match=r"^the token 'dmp .*' refuses the PIN \(PinIncorrect\)$"):
        token.use(lambda _: None)
    with pytest.raises(KeyringError, match=r"^the token 'dmp .*' refused the PIN; trying it again might lock"):
        token.use(lambda _: None)


async def test_nothing_is_made_by_looking(keys: Pkcs11Keys) -> None:
    """An empty token stays empty until a key is asked for, so that a wrong one is not taken for a new one."""
    await keys.probe()
    status = await keys.status()
    assert (status.masters, dict(status.floors)) == ((), {})
    for change in (keys.enable, keys.disable, keys.destroy, keys.set_floor):
        with pytest.raises(KeyStateError, match=r"^there is no master of dossier yet$"):
            await change(Tree.DOSSIER, 1)


async def test_masters_never_leave_the_token(generated: GeneratedKey, soft_token: SoftToken) -> None:
    """They were made in it, are nobody else's to see, and may do nothing but encrypt and decrypt."""
    session = behind(soft_token)
    for tree in Tree:
        (master,) = find(session, f"dmp-authz/{tree}/1")
        yes = ("TOKEN", "PRIVATE", "SENSITIVE", "ALWAYS_SENSITIVE", "NEVER_EXTRACTABLE", "LOCAL", "ENCRYPT", "DECRYPT")
        no = ("EXTRACTABLE", "WRAP", "UNWRAP", "SIGN", "VERIFY", "DERIVE")
        assert [True] * len(yes) + [False] * len(no) == [master[Attribute[name]] for name in (*yes, *no)]
        assert (master[Attribute.VALUE_LEN], len(master[Attribute.ID])) == (32, 16)
        with pytest.raises(pkcs11.AttributeSensitive):
            master[Attribute.VALUE]


async def test_a_disabled_master_is_refused_by_the_token(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken
) -> None:
    """Not by this program alone."""
    await keys.rotate(Tree.DOSSIER)
    await keys.disable(Tree.DOSSIER, 1)
    (master,) = find(behind(soft_token), "dmp-authz/dossier/1")
    assert (master[Attribute.ENCRYPT], master[Attribute.DECRYPT]) == (False, False)


async def test_a_lost_session_is_opened_anew(keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken) -> None:
    """As after a restart of the HSM."""
    module(soft_token).reinitialize()
    assert generated.key == await keys.unwrap(NAME, generated.wrapped)


async def test_whoever_is_logged_out_by_another_logs_in_again(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken
) -> None:
    """A login is the process's, not the session's; without it the token looks empty."""
    other = Pkcs11Keys.from_url(soft_token.url)
    assert generated.key == await other.unwrap(NAME, generated.wrapped)
    await keys.close()
    assert generated.key == await other.unwrap(NAME, generated.wrapped)
    await other.close()


async def test_a_token_that_is_gone_is_unavailable_until_it_is_back(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken, tmp_path: Path
) -> None:
    """And serves as before."""
    (tokens,) = (soft_token.folder / "tokens").iterdir()
    away = tokens.rename(tmp_path / "away")
    module(soft_token).reinitialize()
    for _ in range(2):
        with pytest.raises(KeysUnavailableError, match=r"^there is no token labelled"):
            await keys.unwrap(NAME, generated.wrapped)
    away.rename(tokens)
    assert generated.key == await keys.unwrap(NAME, generated.wrapped)


async def test_a_module_that_does_not_come_back_is_unavailable(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken
) -> None:
    """Here for want of its configuration."""
    configuration = soft_token.folder / "softhsm2.conf"
    text = configuration.read_text()
    module(soft_token).finalize()
    configuration.unlink()
    with pytest.raises(KeysUnavailableError, match=r"^the PKCS#11 module cannot be used"):
        await keys.probe()
    configuration.write_text(text)
    assert generated.key == await keys.unwrap(NAME, generated.wrapped)


async def test_a_master_that_goes_meanwhile_is_a_failure_and_no_broken_seal(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken
) -> None:
    """What the token says of a wrong value, it also says when it cannot: only a master that works blames the value."""
    (master,) = find(behind(soft_token), "dmp-authz/dossier/1")
    master.destroy()
    with pytest.raises(KeysUnavailableError, match=r"^the token 'dmp .*' failed: "):
        await keys.unwrap(NAME, generated.wrapped)
    with pytest.raises(KeysUnavailableError, match=r"^the token 'dmp .*' failed: "):
        await keys.wrap(Tree.DOSSIER, [(NAME, bytes(32))])


async def test_what_the_token_holds_is_believed_for_a_second(soft_token: SoftToken, settling: Settling) -> None:
    """So long another process's change may go unnoticed, and no longer."""
    now = [NOW]
    keys, other = (
        Pkcs11Keys(
            Token(soft_token.hsm.module, soft_token.label, soft_token.pin), settle=settling, clock=lambda: now[0]
        )
        for _ in range(2)
    )
    (generated,) = await keys.generate(Tree.DOSSIER, [NAME])
    await other.rotate(Tree.DOSSIER)
    await other.set_floor(Tree.DOSSIER, 2)
    now[0] += 1.0
    assert generated.key == await keys.unwrap(NAME, generated.wrapped)
    now[0] += 0.1
    with pytest.raises(SealBrokenError):
        await keys.unwrap(NAME, generated.wrapped)
    await other.close()
    await keys.close()


async def test_a_token_that_does_not_answer_is_given_up(token: Token, settling: Settling) -> None:
    """Whoever waits behind it too; and it serves again as soon as it answers."""
    answer = Event()
    settling.acts = [answer.wait]
    keys = Pkcs11Keys(token, settle=settling, patience=0.05)
    told = r"^the token 'dmp .*' has not answered within 0\.05 s$"
    try:
        for call in (keys.generate(Tree.DOSSIER, [NAME]), keys.probe()):
            with pytest.raises(KeysUnavailableError, match=told):
                await call
    finally:
        answer.set()
    patient = Pkcs11Keys(token, settle=settling)
    await patient.probe()
    await patient.close()
    await keys.close()


async def test_a_closed_service_is_unavailable(keys: Pkcs11Keys, generated: GeneratedKey) -> None:
    """It may be closed twice."""
    await keys.close()
    await keys.close()
    with pytest.raises(KeysUnavailableError, match=r"^the key service is closed$"):
        await keys.unwrap(NAME, generated.wrapped)


@pytest.mark.parametrize("bits, attributes", [(256, {"EXTRACTABLE": True}), (256, {"SENSITIVE": False}), (128, {})])
async def test_a_key_that_could_leave_is_no_master(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken, bits: int, attributes: dict[str, bool]
) -> None:
    """Somebody put it there under our label; nothing is wrapped until it is gone."""
    planted = plant(behind(soft_token), "dmp-authz/dossier/2", b"", bits, **attributes)
    told = r"^the key 'dmp-authz/dossier/2' is not an AES-256 key that the token keeps to itself$"
    with pytest.raises(KeysUnavailableError, match=told):
        await keys.rotate(Tree.DOSSIER)
    planted.destroy()
    assert (await keys.rotate(Tree.DOSSIER)).version == 2


async def test_two_masters_of_one_name_are_not_chosen_from(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken
) -> None:
    """One would be tried after the other; nothing is, until one is gone."""
    planted = plant(behind(soft_token), "dmp-authz/dossier/1")
    with pytest.raises(KeysUnavailableError, match=r"^the token holds two masters dossier/1: one of them is not ours$"):
        await keys.status()
    planted.destroy()
    assert len((await keys.status()).masters) == 5


async def test_a_tree_whose_masters_were_all_put_out_of_use_is_unavailable(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken
) -> None:
    """By the tools of the HSM, that is: this program leaves one."""
    (master,) = find(behind(soft_token), "dmp-authz/dossier/1")
    master[Attribute.DECRYPT] = False
    with pytest.raises(KeysUnavailableError, match=r"^the token has no usable master of dossier"):
        await keys.rotate(Tree.DOSSIER)


async def test_the_newest_master_is_not_destroyed(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken
) -> None:
    """Also where the tools of the HSM have put it out of use: its number would be given again."""
    await keys.rotate(Tree.DOSSIER)
    (master,) = find(behind(soft_token), "dmp-authz/dossier/2")
    master[Attribute.ENCRYPT] = False
    assert [each.state for each in (await keys.status()).masters][:2] == [KeyState.PRIMARY, KeyState.DISABLED]
    with pytest.raises(KeyStateError, match=r"^dossier/2 is the newest: rotate first$"):
        await keys.destroy(Tree.DOSSIER, 2)
    assert (await keys.rotate(Tree.DOSSIER)).version == 3
    await keys.destroy(Tree.DOSSIER, 2)


async def test_what_others_keep_in_the_token_is_left_alone(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken
) -> None:
    """Whatever it is called."""
    raw = AttributeMapper()
    raw.default_secret_key_template[Attribute.LABEL] = b""
    raw.register_handler(Attribute.LABEL, bytes, bytes)
    session = module(soft_token).get_token(token_label=soft_token.label).open(rw=True, attribute_mapper=raw)
    for label in (
        b"",
        b"\xff",
        b"dmp-authz/other/1",
        b"dmp-authz/dossier/01",
        b"dmp-authz/dossier/999999",
        b"dmp-authz/dossier",
    ):
        plant(session, label)
    assert len((await keys.status()).masters) == 5


async def test_a_floor_that_was_half_written_holds(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken
) -> None:
    """The highest counts; the lower ones go with the next."""
    await keys.rotate(Tree.DOSSIER)
    await keys.rotate(Tree.DOSSIER)
    await keys.set_floor(Tree.DOSSIER, 2)
    session = behind(soft_token)
    session.create_object(
        {
            Attribute.CLASS: ObjectClass.DATA, Attribute.TOKEN: True, Attribute.PRIVATE: True,
            Attribute.LABEL: "dmp-authz/floor/dossier", Attribute.VALUE: b"\0\0\0\1",
        }
    )  # fmt: skip
    assert (await keys.status()).floors[Tree.DOSSIER] == 2
    await keys.set_floor(Tree.DOSSIER, 3)
    assert [each[Attribute.VALUE] for each in find(session, "dmp-authz/floor/dossier")] == [b"\0\0\0\3"]


async def test_of_two_makers_the_one_with_the_lower_id_wins(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken, settling: Settling
) -> None:
    """Ours here: the other will destroy what he made."""
    session = behind(soft_token)
    settling.acts = [lambda: plant(session, "dmp-authz/new/dossier/2", b"\xff" * 17)]
    assert (await keys.rotate(Tree.DOSSIER)).version == 2
    (master,) = find(session, "dmp-authz/dossier/2")
    (rival,) = find(session, "dmp-authz/new/dossier/2")
    assert (len(master[Attribute.ID]), len(rival[Attribute.ID])) == (16, 17)


async def test_the_maker_who_lost_takes_the_other_master(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken, settling: Settling
) -> None:
    """His own is destroyed, and he waits for the other to finish."""
    session = behind(soft_token)
    rival: list[Any] = []

    def finish() -> None:
        rival[0][Attribute.LABEL] = "dmp-authz/dossier/2"

    settling.acts = [lambda: rival.append(plant(session, "dmp-authz/new/dossier/2", b"\0")), lambda: None, finish]
    assert (await keys.rotate(Tree.DOSSIER)).version == 2
    (master,) = find(session, "dmp-authz/dossier/2")
    assert (master[Attribute.ID], find(session, "dmp-authz/new/dossier/2"), settling.times) == (b"\0", [], 4)


async def test_a_maker_who_comes_after_the_decision_has_lost(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken, settling: Settling
) -> None:
    """Whatever his id."""
    session = behind(soft_token)
    settling.acts = [lambda: plant(session, "dmp-authz/dossier/2", b"\xff" * 17)]
    assert (await keys.rotate(Tree.DOSSIER)).version == 2
    (master,) = find(session, "dmp-authz/dossier/2")
    assert (len(master[Attribute.ID]), find(session, "dmp-authz/new/dossier/2")) == (17, [])


async def test_what_a_maker_left_who_died_is_cleared_away(
    keys: Pkcs11Keys, generated: GeneratedKey, soft_token: SoftToken
) -> None:
    """After a while, for the next try; the masters there are serve all the time."""
    session = behind(soft_token)
    plant(session, "dmp-authz/new/dossier/2", b"\0")
    with pytest.raises(KeysUnavailableError, match=r"^others are making masters in the token and do not finish"):
        await keys.rotate(Tree.DOSSIER)
    assert generated.key == await keys.unwrap(NAME, generated.wrapped)
    assert (await keys.rotate(Tree.DOSSIER)).version == 2


async def test_a_maker_who_was_too_slow_begins_again(token: Token, soft_token: SoftToken) -> None:
    """Others may have decided without having seen his candidate."""
    settling = Settling()
    times = iter([NOW, NOW, NOW + SETTLE + 0.1])
    keys = Pkcs11Keys(token, settle=settling, clock=lambda: next(times, NOW + 1))
    (generated,) = await keys.generate(Tree.DOSSIER, [NAME])
    assert (2, generated.key) == (settling.times, await keys.unwrap(NAME, generated.wrapped))
    assert find(behind(soft_token), "dmp-authz/new/dossier/1") == []
    await keys.close()


class Vanishing:
    """A session in which whatever is found is destroyed before it can be read."""

    def create_object(self, _: object) -> dict[str, str]:
        return {}

    def get_objects(self, _: object) -> list["Vanishing"]:
        return [self]

    def get_attributes(self, _: object) -> object:
        raise pkcs11.ObjectHandleInvalid


def test_a_token_that_never_holds_still_is_unavailable() -> None:
    """Reading it is tried a few times."""
    token = OpenToken(Vanishing())  # type: ignore[arg-type]  # as much of a session as reading needs
    with pytest.raises(KeysUnavailableError, match=r"^the token changes too fast to be read$"):
        token.read_keys()


MAKER = """
import asyncio, sys
from vault.keys.service import Tree, shard_name
from vault.pkcs11_keys import Pkcs11Keys

async def main():
    keys = Pkcs11Keys.from_url(sys.argv[1])
    sys.stdin.read()
    (generated,) = await keys.generate(Tree.DOSSIER, [shard_name(Tree.DOSSIER, 1, 1)])
    print(generated.wrapped.key_id, generated.wrapped.wrapped.hex(), generated.key.hex())
    await keys.close()

asyncio.run(main())
"""


async def test_processes_that_begin_at_once_make_one_set_of_masters(soft_token: SoftToken) -> None:
    """Each opens what the others' master has wrapped."""
    root = Path(__file__).parents[3]
    makers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", MAKER, soft_token.url,
            cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | soft_token.environment,
        )
        for _ in range(3)
    ]  # fmt: skip
    answers = await asyncio.gather(*(maker.communicate(b"") for maker in makers))
    assert [maker.returncode for maker in makers] == [0] * 3
    keys = Pkcs11Keys.from_url(soft_token.url)
    assert [master.state for master in (await keys.status()).masters] == [KeyState.PRIMARY] * 5
    for said, _ in answers:
        key_id, wrapped, key = said.decode().split()
        assert bytes.fromhex(key) == await keys.unwrap(NAME, WrappedKey(key_id, bytes.fromhex(wrapped)))
    await keys.close()
