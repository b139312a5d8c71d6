"""`dmp init`: what it makes, and what it refuses."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.cli.main import dmp


def init(home: Path, keys: str | None = None) -> Result:
    """`dmp init` on an embedded default, with this DMP_KEYS_URL if any."""
    given = {"DMP_HOME": str(home), "DMP_KEYS_URL": keys}
    others = dict.fromkeys(name for name in os.environ if name.startswith("DMP_"))
    return CliRunner().invoke(dmp, ["init"], env={**others, **given})


@pytest.mark.parametrize("option, kind", [("passphrase_file", "passphrase"), ("key_file", "key-file")])
def test_a_keyring_is_sealed_from_the_first_byte_if_its_url_says_so(tmp_path: Path, option: str, kind: str) -> None:
    """And the second time it is opened, not made; without what seals it, it is refused."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"0123456789abcdef0123456789abcdef")
    secret.chmod(0o600)
    url = f"file://{tmp_path}/keys"
    for _ in range(2):
        assert init(tmp_path, f"{url}?{option}={secret}").exit_code == 0
    document = json.loads((tmp_path / "keys").read_text())
    assert (document["protection"], document["generation"], "trees" in document) == (kind, 1, False)
    refused = init(tmp_path, url)
    assert (refused.exit_code, "the keyring asks for a" in str(refused.exception)) == (1, True)


def test_no_keyring_is_made_for_a_database_that_had_one(tmp_path: Path) -> None:
    """New masters would open none of its keys."""
    assert init(tmp_path).exit_code == 0
    (tmp_path / "keys").unlink()
    refused = init(tmp_path)
    assert refused.exit_code == 1
    assert f"the database holds keys wrapped under a keyring that is not there: {tmp_path}/keys" in str(
        refused.exception
    )
    assert not (tmp_path / "keys").exists()


def test_an_old_copy_of_a_keyring_is_refused(tmp_path: Path) -> None:
    """The database has seen a later one."""
    assert init(tmp_path).exit_code == 0
    path = tmp_path / "keys"
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"generation": 5}))
    assert init(tmp_path).exit_code == 0
    path.write_text(json.dumps(document))
    refused = init(tmp_path)
    assert refused.exit_code == 1
    assert "the keyring is of generation 1, and this database has seen generation 5" in str(refused.exception)


def test_a_key_url_that_says_nothing_is_refused(tmp_path: Path) -> None:
    """By one sentence."""
    refused = init(tmp_path, f"file://{tmp_path}/keys?passphrase=x")
    assert (refused.exit_code, "unknown options: passphrase" in str(refused.exception)) == (1, True)
