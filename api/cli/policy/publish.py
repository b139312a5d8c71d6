"""`dmp policy publish`."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.policy.asking import as_json
from api.cli.policy.bundling import Done, bundle_file, read_bundle
from api.cli.policy.showing import show
from api.errors import SettingsError
from api.settings import Settings

if TYPE_CHECKING:
    from api.services.publishing import Published
    from policy.bundles.signing import Trust


@click.command()
@bundle_file
@as_json
@click.pass_obj
def publish(settings: Settings, file: Path, *, as_json: bool) -> None:
    """Put a bundle where every instance of the service follows it, unless an instance would refuse it."""
    from policy.bundles.signing import read_trust

    if settings.policy_trust is None:
        raise SettingsError("DMP_POLICY_TRUST names whose signatures count; without it no instance follows a bundle")
    outcome = asyncio.run(_publish(settings, read_trust(settings.policy_trust), read_bundle(file)))
    bundle = outcome.accepted.bundle
    told = {
        "version": bundle.version,
        "revision": bundle.revision,
        "reviewers": outcome.accepted.reviewers,
        "replaced": outcome.replaced,
        "unchanged": outcome.unchanged,
    }
    what = "published already" if outcome.unchanged else "published"
    signers = " and ".join(outcome.accepted.reviewers)
    show(
        Done(f"{what}: version {bundle.version}, revision {bundle.revision}, signed by {signers}", told),
        as_json=as_json,
    )


async def _publish(settings: Settings, trust: "Trust", data: bytes) -> "Published":
    from api.services.publishing import publish as published
    from models.database import open_database
    from vault.locations import store_from_url

    try:
        store = store_from_url(settings.vault_url)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        database = await open_database(settings.database_url)
        stack.push_async_callback(database.close)
        await store.prepare()
        return await published(store, database, trust, data)
