"""What the SDK raises, in our words."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from xml.etree.ElementTree import ParseError

from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError, MaxRetryError

from vault.errors import (
    NoObjectError,
    ObjectExistsError,
    StoreError,
    StoreSilentError,
    StoreUnavailableError,
)

T = TypeVar("T")

_PASSING = frozenset({"SlowDown", "RequestTimeout", "OperationAborted", "ConditionalRequestConflict"})
"""Refusals that say themselves that they pass, whatever their status."""


def asked(function: Callable[..., T], *arguments: Any) -> T:
    """What a method of the client gives. Raises StoreError, and nothing of the SDK."""
    try:
        return function(*arguments)
    except S3Error as error:
        raise _translated(error) from None
    except (MinioException, HTTPError) as error:
        reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
        raise StoreSilentError(f"the object store does not answer ({type(reason).__name__})") from None
    except (ParseError, ValueError):
        raise StoreSilentError("the object store's answer cannot be read") from None


def _translated(error: S3Error) -> StoreError:
    if error.code == "NoSuchKey":
        return NoObjectError("there is no object of that name")
    if error.code == "PreconditionFailed":
        return ObjectExistsError("an object of that name is there already")
    sentence = f"the object store refuses ({error.code})"
    status = error.response.status
    if error.code in _PASSING or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED):
        return StoreSilentError(sentence)
    return StoreUnavailableError(sentence)
