"""A MinIO bucket as a whole through its SDK: made with versions and a lock, and the records that the lock keeps.

A record is locked in compliance mode: until its date nobody removes or alters that version, nor shortens the time,
whatever keys he has. He may lay another version over it, or a mark that it is deleted. The mark is looked under; what
lies over a record is read in its place and is found out by its signature or its hash, the record beneath being intact.
"""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import islice

from minio.commonconfig import ENABLED, Filter
from minio.error import S3Error
from minio.lifecycleconfig import Expiration, LifecycleConfig, NoncurrentVersionExpiration, Rule
from minio.versioningconfig import VersioningConfig

from vault.errors import NoObjectError, RecordChangedError, StoreUnsuitableError
from vault.limits import Limits
from vault.minio_client import DOCUMENTS, LISTED_AT_ONCE, ONLY_CREATE, Bucket, Client

NONCURRENT_DAYS = 7
"""How long a version that is no longer current stays, unless it is a record's: what is deleted by us leaves none."""

_TRIAL = "trial/lock"
_TRIAL_DAYS = 1
_REFUSALS = {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}


class BucketClient(Client):
    """The client that also makes the bucket, and keeps records in it."""

    def __init__(self, bucket: Bucket, limits: Limits) -> None:
        super().__init__(bucket, limits)
        self._retention_days = bucket.retention_days

    def make_ready(self) -> None:
        """The bucket, made unless it is there: making may be forbidden where it is. Raises StoreUnsuitableError."""
        if not self.answers():
            self._make()
        if not self._keeps_versions():
            self.set_bucket_versioning(self._bucket, VersioningConfig(ENABLED))
            if not self._keeps_versions():
                raise StoreUnsuitableError("this object store does not keep versions")
        if self._retention_days:
            self._hold_made_with_lock()
            self._hold_locking()

    def keep(self, key: str, data: bytes) -> None:
        """See RecordStore. It is looked for first: a mark of deletion that hides it would let another be created."""
        if self._is_kept(key, data):
            return
        try:
            self._put_object(self._bucket, key, data, {**ONLY_CREATE, **_locked_for(self._retention_days)})
        except S3Error as error:
            if error.code != "PreconditionFailed" or not self._is_kept(key, data):
                raise

    def read_record(self, key: str, most: int) -> bytes:
        """See RecordStore."""
        try:
            response = self.get_object(self._bucket, key)
        except S3Error as error:
            hidden = error.code == "NoSuchKey" and "x-amz-delete-marker" in error.response.headers
            if not hidden:
                raise
            response = self.get_object(self._bucket, key, version_id=self._first_version(key))
        try:
            return response.read(most)
        finally:
            response.close()
            response.release_conn()

    def list_records(self, folder: str, after: str) -> list[str]:
        """The next names in order, those that a mark of deletion hides among them; none if there are no more."""
        listed = self.list_objects(
            self._bucket, prefix=folder, recursive=True, start_after=max(after, folder), include_version=True
        )
        return sorted({str(each.object_name) for each in islice(listed, LISTED_AT_ONCE)} - {after})

    def _is_kept(self, key: str, data: bytes) -> bool:
        try:
            kept = self.read_record(key, len(data) + 1)
        except NoObjectError:
            return False
        except S3Error as error:
            if error.code != "NoSuchKey":
                raise
            return False
        if kept != data:
            raise RecordChangedError("the record is there already, and another one")
        return True

    def _make(self) -> None:
        try:
            self.make_bucket(self._bucket, object_lock=self._retention_days > 0)
        except S3Error as error:
            if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise
            return
        self.set_bucket_versioning(self._bucket, VersioningConfig(ENABLED))
        rules = [_sweeping(DOCUMENTS), _sweeping("policy/")]
        self.set_bucket_lifecycle(self._bucket, LifecycleConfig(rules))

    def _keeps_versions(self) -> bool:
        return self.get_bucket_versioning(self._bucket).status == ENABLED

    def _hold_made_with_lock(self) -> None:
        try:
            self.get_object_lock_config(self._bucket)
        except S3Error as error:
            raise StoreUnsuitableError(
                "the bucket has no object lock, which it can only be made with: name another bucket, which is then "
                f"made with it, or add lock=off to the vault's URL and do without ({error.code})"
            ) from None

    def _hold_locking(self) -> None:
        """An object that is locked cannot be removed; one serves all trials, since it stays for its time."""
        if self._trial_stays():
            return
        try:
            self._put_object(self._bucket, _TRIAL, b"locked", {**ONLY_CREATE, **_locked_for(_TRIAL_DAYS)})
        except S3Error as error:
            if error.code != "PreconditionFailed":  # another process begins at the same time
                raise
        if not self._trial_stays():
            raise StoreUnsuitableError("this object store removes an object that it was asked to lock")

    def _trial_stays(self) -> bool:
        """Whether there is one that cannot be removed; one that has served its time is."""
        try:
            self.remove(_TRIAL)
        except S3Error as error:
            if error.response.status not in _REFUSALS:
                raise
            return True
        return False

    def _first_version(self, key: str) -> str:
        versions = [
            each
            for each in self.list_objects(self._bucket, prefix=key, include_version=True)
            if each.object_name == key and not each.is_delete_marker
        ]
        if not versions:
            raise NoObjectError("there is no record of that name")
        return str(min(versions, key=lambda each: each.last_modified).version_id)


def _locked_for(days: int) -> dict[str, str]:
    if not days:
        return {}
    until = datetime.now(UTC) + timedelta(days=days)
    return {
        "x-amz-object-lock-mode": "COMPLIANCE",
        "x-amz-object-lock-retain-until-date": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _sweeping(prefix: str) -> Rule:
    return Rule(
        ENABLED,
        rule_filter=Filter(prefix=prefix),
        rule_id=prefix.strip("/"),
        noncurrent_version_expiration=NoncurrentVersionExpiration(noncurrent_days=NONCURRENT_DAYS),
        expiration=Expiration(expired_object_delete_marker=True),
    )
