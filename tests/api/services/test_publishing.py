"""What is published is what every instance will take."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from api.parts import Parts
from api.services.publishing import publish
from api.services.signed_rules import PUBLISHED, READ_AT_MOST
from api.services.swaps import Occasion, Swaps
from policy.bundles.form import Bundle
from policy.bundles.verifying import accept
from policy.errors import BundleError
from tests.doubles.notices import HeedlessNoticeBoard, MemoryNoticeBoard
from tests.policy.bundles.reviewers import LEGAL, MEDICAL, SECURITY, TRUST, signed, stricter, unsigned
from vault.errors import NoticeChangedError, StoreUnsuitableError
from vault.notices import NoticeBoard

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)


async def published(board: NoticeBoard) -> bytes:
    notice = await board.read_notice(PUBLISHED, READ_AT_MOST)
    assert notice is not None
    return notice.data


async def test_versions_follow_one_another(parts: Parts) -> None:
    """On the filesystem and in MinIO."""
    first, second = signed(version=2).encode(), signed(version=3, bundle=stricter(3)).encode()
    outcome = await publish(parts.store, parts.database, TRUST, first)
    assert (outcome.replaced, outcome.unchanged, outcome.accepted.reviewers) == (None, False, (LEGAL, SECURITY))
    outcome = await publish(parts.store, parts.database, TRUST, second)
    assert (outcome.replaced, outcome.unchanged) == (2, False)
    assert await published(parts.store) == second


async def test_publishing_again_changes_nothing(parts: Parts) -> None:
    """It is safe to do it twice."""
    data = signed(version=2).encode()
    await publish(parts.store, parts.database, TRUST, data)
    assert (await publish(parts.store, parts.database, TRUST, data)).unchanged is True


async def test_more_signatures_may_be_published(parts: Parts) -> None:
    """Of the same version."""
    await publish(parts.store, parts.database, TRUST, signed(LEGAL, SECURITY).encode())
    assert (await publish(parts.store, parts.database, TRUST, signed(LEGAL, MEDICAL).encode())).unchanged is False
    assert await published(parts.store) == signed(LEGAL, MEDICAL).encode()


@pytest.mark.parametrize(
    "reason, bundle",
    [
        ("signatures", lambda: unsigned(version=4)),
        ("signatures", lambda: signed(LEGAL, version=4)),
        ("rolled-back", lambda: signed(version=2)),
        ("forked", lambda: signed(version=3, bundle=stricter(3))),
    ],
)
@pytest.mark.parametrize("known", ["published", "in force"])
async def test_what_instances_would_refuse_is_not_published(
    parts: Parts, reason: str, bundle: Callable[[], Bundle], known: str
) -> None:
    """Held against what is published, and against what is in force though it was taken away."""
    present = signed(version=3).encode()
    if known == "published":
        await publish(parts.store, parts.database, TRUST, present)
    else:
        swaps = Swaps(parts.database, parts.ledger)
        await swaps.from_bundle(accept(present, TRUST), present, Occasion.of_service("start"), NOW)
    with pytest.raises(BundleError) as refused:
        await publish(parts.store, parts.database, TRUST, bundle().encode())
    assert refused.value.reason == reason
    if known == "published":
        assert await published(parts.store) == present


@pytest.mark.parametrize("wrong", [b"wrong", signed(LEGAL, version=9).encode(), bytes(5_000_000)])
async def test_what_no_instance_takes_is_put_right(parts: Parts, wrong: bytes) -> None:
    """Whatever version it says to be."""
    await parts.store.post_notice(PUBLISHED, wrong, None)
    outcome = await publish(parts.store, parts.database, TRUST, signed(version=2).encode())
    assert (outcome.replaced, outcome.unchanged) == (None, False)
    assert await published(parts.store) == signed(version=2).encode()


class Contested(MemoryNoticeBoard):
    """Somebody else publishes between the look and the writing."""

    async def post_notice(self, name: str, data: bytes, known: str | None) -> str:
        if name == PUBLISHED:
            self.notices[PUBLISHED] = b"another's"
        return await super().post_notice(name, data, known)


async def test_two_who_publish_at_once_do_not_overwrite_each_other(parts: Parts) -> None:
    """The second is told."""
    board = Contested()
    with pytest.raises(NoticeChangedError):
        await publish(board, parts.database, TRUST, signed().encode())
    assert board.notices == {PUBLISHED: b"another's"}


async def test_a_store_that_overwrites_unasked_is_refused(parts: Parts) -> None:
    """Before anything is published."""
    board = HeedlessNoticeBoard()
    with pytest.raises(StoreUnsuitableError):
        await publish(board, parts.database, TRUST, signed().encode())
    assert board.notices == {}
