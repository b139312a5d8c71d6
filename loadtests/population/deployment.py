"""The deployment that is seeded: its database, and the secret by which it knows people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from models.database import is_one_server, open_database
from models.errors import DatabaseError
from vault.errors import KeyringError
from vault.keys import ShardKeys, read_secrets, refuse_older
from vault.locations import keys_from_url


class NoDeploymentError(Exception):
    """What the environment names is nothing that can be seeded; the message says why, and repeats no address."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where it is. Addresses may hold passwords."""

    database_url: str = field(repr=False)
    keys_url: str = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Deployment":
        """As the service's settings name it. Raises NoDeploymentError without PostgreSQL."""
        database_url = environment.get("DMP_DATABASE_URL", "")
        if not database_url.startswith("postgresql:"):
            raise NoDeploymentError("DMP_DATABASE_URL must begin with postgresql: SQLite takes `dmp import`")
        home = Path(environment.get("DMP_HOME") or "var").absolute()
        return cls(database_url, environment.get("DMP_KEYS_URL") or f"file://{quote(str(home))}/keys")

    async def pseudonym_secret(self) -> bytes:
        """Raises NoDeploymentError where `dmp init` has not been, on a cluster, or with the keys of another."""
        try:
            keys = keys_from_url(self.keys_url)
        except (ValueError, KeyringError) as error:
            raise NoDeploymentError(f"the keys: {error}") from None
        try:
            database = await open_database(self.database_url)
        except DatabaseError as error:
            await keys.close()
            raise NoDeploymentError(str(error)) from None
        try:
            if not is_one_server(database):
                raise NoDeploymentError("the database is a cluster, which takes `dmp import`")
            await refuse_older(database, keys)
            return (await read_secrets(database, ShardKeys(database, keys))).pseudonym
        except KeyringError as error:
            raise NoDeploymentError(str(error)) from None
        finally:
            await database.close()
            await keys.close()
