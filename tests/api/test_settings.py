"""Settings of the environment."""

from pathlib import Path

import pytest

from api.settings import Settings, SettingsError


def test_nothing_set_is_the_embedded_default() -> None:
    """Everything in ./var: SQLite, files, the local keyring."""
    home = Path.cwd() / "var"
    assert Settings.from_environment({"PATH": "/bin", "DMP_LOG_LEVEL": ""}) == Settings(
        home=home,
        database_url=f"sqlite:///{home}/dmp.sqlite3",
        vault_url=f"file://{home}/vault",
        keys_url=f"file://{home}/keys",
        policy_dir=None,
        log_level="info",
    )


def test_a_home_of_any_name_makes_addresses() -> None:
    """What means something else in an address is written as an address wants it."""
    settings = Settings.from_environment({"DMP_HOME": "/a b/50%?#"})
    assert settings.vault_url == "file:///a%20b/50%25%3F%23/vault"


def test_everything_can_be_set(tmp_path: Path) -> None:
    """Each variable is taken as it is."""
    given = {
        "DMP_HOME": str(tmp_path),
        "DMP_DATABASE_URL": "postgresql://u:p@h:5432/dmp",
        "DMP_VAULT_URL": "s3://A:S@h:9000/b?secure=false",
        "DMP_POLICY_DIR": str(tmp_path),
        "DMP_KEYS_URL": "pkcs11://token",
        "DMP_LOG_LEVEL": "WARNING",
    }
    settings = Settings.from_environment(given)
    assert (settings.home, settings.policy_dir, settings.log_level) == (tmp_path, tmp_path, "warning")
    assert [settings.database_url, settings.vault_url, settings.keys_url] == [
        given["DMP_DATABASE_URL"],
        given["DMP_VAULT_URL"],
        given["DMP_KEYS_URL"],
    ]


@pytest.mark.parametrize(
    "url", ["https://told.example/dmp?to=us", "https://10.0.0.1:8443", "http://127.0.0.1:9000/", "http://[::1]/told"]
)
def test_a_receiver_is_set_with_its_secret(tmp_path: Path, url: str) -> None:
    """Over TLS, or on this very machine."""
    file = tmp_path / "secret"
    file.touch()
    settings = Settings.from_environment({"DMP_NOTIFY_URL": url, "DMP_NOTIFY_SECRET_FILE": str(file)})
    assert (settings.notify_url, settings.notify_secret_file) == (url, file)
    assert url not in repr(settings)


def test_the_pharmaceutical_record_is_set_with_its_secret(tmp_path: Path) -> None:
    """As a receiver is, and no less safely."""
    file = tmp_path / "secret"
    file.touch()
    url, name = "https://record.example/dmp", "DMP_PHARMACEUTICAL_RECORD_URL"
    given = {name: url, "DMP_PHARMACEUTICAL_RECORD_SECRET_FILE": str(file)}
    settings = Settings.from_environment(given)
    assert (settings.pharmaceutical_record_url, settings.pharmaceutical_record_secret_file) == (url, file)
    assert url not in repr(settings)
    for wrong in ({name: url}, given | {name: "http://record.example/dmp"}):
        with pytest.raises(SettingsError, match=f"^{name}"):
            Settings.from_environment(wrong)


@pytest.mark.parametrize(
    "url",
    [
        "http://told.example/",
        "http://localhost/",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "https://user:hush@told.example/",
        "https://told.example/#here",
        "https:///told",
        "https://told.example:0/",
        "https://told.example:port/",
        "https://[told/",
        "https://told.example/a b",
        "https://tolé.example/",
        "told.example",
    ],
)
def test_a_receiver_that_others_could_overhear_is_refused(tmp_path: Path, url: str) -> None:
    """And one that cannot be reached at all, in one sentence without the address."""
    file = tmp_path / "secret"
    file.touch()
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"DMP_NOTIFY_URL": url, "DMP_NOTIFY_SECRET_FILE": str(file)})
    assert str(refused.value) == (
        "DMP_NOTIFY_URL must be https, or http to a loopback address such as 127.0.0.1, without user or fragment"
    )


def test_a_receiver_has_a_secret(tmp_path: Path) -> None:
    """Neither is anything without the other, and the file must be there."""
    together = "DMP_NOTIFY_URL and DMP_NOTIFY_SECRET_FILE are set together: what is sent is signed"
    gone = "DMP_NOTIFY_SECRET_FILE is not a file"
    url, file = {"DMP_NOTIFY_URL": "https://told.example/"}, {"DMP_NOTIFY_SECRET_FILE": str(tmp_path / "none")}
    for given, sentence in ((url, together), (file, together), (url | file, gone)):
        with pytest.raises(SettingsError) as refused:
            Settings.from_environment(given)
        assert str(refused.value) == sentence


def test_the_fund_is_set_with_its_secret_and_its_number(tmp_path: Path) -> None:
    """What it answers is entered in the name of an organization; each of the three takes the others."""
    file = tmp_path / "secret"
    file.touch()
    url, secret, number = (
        {"DMP_FUND_URL": "https://fund.example/"},
        {"DMP_FUND_SECRET_FILE": str(file)},
        {"DMP_FUND_ORGANIZATION": "180035024"},
    )
    settings = Settings.from_environment(url | secret | number)
    assert (settings.fund_url, settings.fund_secret_file, settings.fund_organization) == (
        "https://fund.example/",
        file,
        "180035024",
    )
    assert "fund.example" not in repr(settings)
    assert Settings.from_environment({}).fund_url is None
    signed = "DMP_FUND_URL and DMP_FUND_SECRET_FILE are set together: what is sent is signed"
    named = "DMP_FUND_URL and DMP_FUND_ORGANIZATION are set together: what is answered has an author"
    safe = "DMP_FUND_URL must be https, or http to a loopback address such as 127.0.0.1, without user or fragment"
    for given, sentence in (
        (url | number, signed),
        (secret | number, signed),
        (url | secret, named),
        (number, named),
        (
            url | secret | {"DMP_FUND_ORGANIZATION": "18003502"},
            "DMP_FUND_ORGANIZATION must be the fund's SIREN, 9 digits",
        ),
        ({"DMP_FUND_URL": "http://fund.example/"} | secret | number, safe),
    ):
        with pytest.raises(SettingsError) as refused:
            Settings.from_environment(given)
        assert str(refused.value) == sentence


def test_signed_rules_are_asked_for_by_a_trust_file(tmp_path: Path) -> None:
    """And looked at each fifteen seconds, unless said otherwise."""
    trust = tmp_path / "trust.csv"
    trust.touch()
    settings = Settings.from_environment({"DMP_POLICY_TRUST": str(trust)})
    assert (settings.policy_trust, settings.policy_poll_seconds) == (trust, 15)
    settings = Settings.from_environment({"DMP_POLICY_TRUST": str(trust), "DMP_POLICY_POLL_SECONDS": "3600"})
    assert settings.policy_poll_seconds == 3600


def test_the_journal_is_published_each_minute() -> None:
    """Unless said otherwise, from each second to each hour."""
    assert Settings.from_environment({}).journal_publish_seconds == 60
    for seconds in (1, 3600):
        assert (
            Settings.from_environment({"DMP_JOURNAL_PUBLISH_SECONDS": str(seconds)}).journal_publish_seconds == seconds
        )
    for wrong in ("0", "3601", "-1", "1.5", "often"):
        with pytest.raises(SettingsError) as refused:
            Settings.from_environment({"DMP_JOURNAL_PUBLISH_SECONDS": wrong})
        assert str(refused.value) == "DMP_JOURNAL_PUBLISH_SECONDS must be a number of seconds from 1 to 3600"


def test_rules_are_a_folders_or_signed(tmp_path: Path) -> None:
    """Not both: a folder beside signed rules would look as if it counted."""
    trust = tmp_path / "trust.csv"
    trust.touch()
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"DMP_POLICY_TRUST": str(trust), "DMP_POLICY_DIR": str(tmp_path)})
    assert (
        str(refused.value) == "DMP_POLICY_DIR and DMP_POLICY_TRUST exclude each other: rules are a folder's, or signed"
    )


def test_secrets_are_not_shown() -> None:
    """The repr has no address, since addresses have passwords."""
    given = {
        "DMP_DATABASE_URL": "postgresql://u:hush@h/d",
        "DMP_VAULT_URL": "s3://A:hush@h/b",
        "DMP_KEYS_URL": "pkcs11://hush",
    }
    assert "hush" not in repr(Settings.from_environment(given))


@pytest.mark.parametrize(
    "name, value, sentence",
    [
        ("DMP_DATABASE_URL", "mysql://u:hush@h/d", "DMP_DATABASE_URL must begin with sqlite: or postgresql:"),
        ("DMP_DATABASE_URL", "hush", "DMP_DATABASE_URL must begin with sqlite: or postgresql:"),
        ("DMP_DATABASE_URL", "postgresql://[hush", "DMP_DATABASE_URL must begin with sqlite: or postgresql:"),
        ("DMP_VAULT_URL", "http://hush", "DMP_VAULT_URL must begin with file: or s3:"),
        ("DMP_KEYS_URL", "vault://hush", "DMP_KEYS_URL must begin with file: or pkcs11:"),
        ("DMP_POLICY_DIR", "/no/such/folder", "DMP_POLICY_DIR is not a folder"),
        ("DMP_POLICY_TRUST", "/no/such/file", "DMP_POLICY_TRUST is not a file"),
        ("DMP_POLICY_TRUST", "/", "DMP_POLICY_TRUST is not a file"),
        *(
            ("DMP_POLICY_POLL_SECONDS", value, "DMP_POLICY_POLL_SECONDS must be a number of seconds from 1 to 3600")
            for value in ("0", "3601", "-1", "1.5", "often", "²", "9" * 5000)
        ),
        ("DMP_LOG_LEVEL", "loud", "DMP_LOG_LEVEL must be one of debug, info, warning, error"),
    ],
)
def test_a_wrong_setting_is_named_and_not_repeated(name: str, value: str, sentence: str) -> None:
    """The sentence says which variable and what it may be, never what it was."""
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({name: value})
    assert str(refused.value) == sentence


@pytest.mark.parametrize("url", ["clamd:///run/clamav/clamd.ctl", "clamd://127.0.0.1:3310", "clamd://[::1]:3310"])
def test_an_antivirus_is_on_this_machine(url: str) -> None:
    """At its socket, or at a port of the loopback interface."""
    assert Settings.from_environment({"DMP_ANTIVIRUS_URL": url}).antivirus_url == url


@pytest.mark.parametrize(
    "url",
    [
        "clamd://10.0.0.1:3310",
        "clamd://localhost:3310",
        "clamd://127.0.0.1",
        "clamd://127.0.0.1:0",
        "clamd://127.0.0.1:port",
        "clamd://127.0.0.1:3310/path",
        "clamd://user:hush@127.0.0.1:3310",
        "clamd://[::1",
        "clamd:///",
        "clamd:///a b",
        "clamd:///socket?x",
        "icap://127.0.0.1:1344/avscan",
        "/run/clamav/clamd.ctl",
    ],
)
def test_another_antivirus_is_refused(url: str) -> None:
    """Contents are sent to it as they are, so they must not leave the machine; in one sentence without the address."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({"DMP_ANTIVIRUS_URL": url})
    assert str(caught.value) == ("DMP_ANTIVIRUS_URL must be clamd:///path/to/its/socket or clamd://127.0.0.1:3310")


def test_a_replica_is_set_beside_a_database_of_postgresql() -> None:
    """By its URL, which is not shown, and by how far behind it may be: five seconds unless that is said."""
    url = "postgresql://u:secret@replica:5432/dmp"
    given = {"DMP_DATABASE_URL": "postgresql://u:p@h/dmp", "DMP_REPLICA_URL": url}
    settings = Settings.from_environment(given)
    assert (settings.replica_url, settings.replica_seconds) == (url, 5)
    assert url not in repr(settings)
    assert Settings.from_environment(given | {"DMP_REPLICA_SECONDS": "60"}).replica_seconds == 60
    assert Settings.from_environment({}).replica_url is None


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"DMP_DATABASE_URL": ""}, "^DMP_REPLICA_URL needs DMP_DATABASE_URL to begin with postgresql:"),
        ({"DMP_DATABASE_URL": "sqlite:///dmp"}, "^DMP_REPLICA_URL needs DMP_DATABASE_URL to begin with postgresql:"),
        ({"DMP_REPLICA_URL": "sqlite:///secret"}, "^DMP_REPLICA_URL must begin with postgresql:$"),
        ({"DMP_REPLICA_URL": "secret"}, "^DMP_REPLICA_URL must begin with postgresql:$"),
        ({"DMP_REPLICA_SECONDS": "0"}, "^DMP_REPLICA_SECONDS must be a number of seconds from 1 to 3600$"),
        ({"DMP_REPLICA_SECONDS": "0.5"}, "^DMP_REPLICA_SECONDS must be a number of seconds from 1 to 3600$"),
    ],
)
def test_a_wrong_replica_is_told(wrong: dict[str, str], sentence: str) -> None:
    """By the name of the variable, never by its value."""
    given = {"DMP_DATABASE_URL": "postgresql://u:p@h/dmp", "DMP_REPLICA_URL": "postgresql://u:p@h/dmp"}
    with pytest.raises(SettingsError, match=sentence):
        Settings.from_environment(given | wrong)
