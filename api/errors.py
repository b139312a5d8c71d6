"""What can go wrong between a request and its answer.

    DmpError
    ├── SettingsError             the service does not start
    ├── InquiryError              somebody who was asked did not answer, see api.services.inquiries
    ├── DisconnectedError         the caller left before it was answered
    ├── CopyChangedError          a part of a copy is not what it was announced to be: it ends short
    └── RequestError              the request gets a problem, see api.problems
        ├── MalformedRequestError     400, with a fixed sentence
        │   └── BrokenFormError           and nothing more of the body can be read
        ├── UnauthenticatedError      401
        ├── ForbiddenError            403, the client may not ask this
        │   └── ScopeRequiredError        and here is the scope that it lacks
        ├── RefusedError              403 or 404, the rules refuse
        ├── NotFoundError             404
        ├── ConflictError             409
        ├── TooLargeError             413
        ├── UnsatisfiableRangeError   416
        ├── UnacceptableError         what is to be deposited is not taken, and why
        │   ├── AuthorError               400, signed for somebody else
        │   ├── OverlongError             413, longer than its type may be
        │   ├── ContentTypeError          415, of a type that is not taken
        │   └── ContentError              422, not what its type says, or harmful
        └── UnavailableError          503
            └── ScannerError              nobody said that a content is harmless

A refusal by the rules is an exception only where an answer cannot say it: AuthZEN answers it as a value.
"""

from models.vocabulary import Scope


class DmpError(Exception):
    """Whatever this package raises; on the command line its message is the one sentence that is shown."""


class SettingsError(DmpError):
    """A setting with which the service cannot start; the message names it and never repeats a secret."""


class DisconnectedError(DmpError):
    """The caller closed the connection before its request was whole."""


class CopyChangedError(DmpError):
    """A file of a copy has not the size that was announced: what was sent of the copy so far is worth nothing."""


class RequestError(DmpError):
    """A request that gets a problem instead of what it asked for."""


class MalformedRequestError(RequestError):
    """The request cannot be read.

    `sentence` is ours from end to end: it may name a member or a header that this service knows, and never repeats
    what the caller sent.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class BrokenFormError(MalformedRequestError):
    """The parts of a form are not those expected, or do not end: what comes after cannot be told apart."""


class UnauthenticatedError(RequestError):
    """No client key, or (`given`) one that is not a client's."""

    def __init__(self, *, given: bool) -> None:
        super().__init__()
        self.given = given


class ForbiddenError(RequestError):
    """The client is known, and may not ask this: not its kind of subject, or not its organization."""


class ScopeRequiredError(ForbiddenError):
    """The client lacks a scope."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope.value)
        self.scope = scope


class RefusedError(RequestError):
    """The rules refuse; `rule` is the one that is told.

    `concealed` tells it like something that does not exist (INTERFACES, "Vault").
    """

    def __init__(self, rule: str, *, concealed: bool = False) -> None:
        super().__init__(rule)
        self.rule = rule
        self.concealed = concealed


class NotFoundError(RequestError):
    """There is no such thing, and that is nobody's secret."""


class ConflictError(RequestError):
    """What is asked contradicts what is there."""


class TooLargeError(RequestError):
    """The body exceeds what the endpoint reads."""


class UnsatisfiableRangeError(RequestError):
    """No byte of the content is in the range; `size` is what there is."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size


class UnavailableError(RequestError):
    """Something that the service needs does not answer; the same request may succeed later."""


class UnacceptableError(RequestError):
    """What is to be deposited is not taken, though the rules permit the deposit.

    `reason` is a word for programs that never changes meaning; `sentence` is ours like MalformedRequestError's.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


class AuthorError(UnacceptableError):
    """The author that is named is not the depositor, and does not exercise in the organization that deposits."""


class OverlongError(UnacceptableError):
    """The content is longer than one of its type may be."""


class ContentTypeError(UnacceptableError):
    """Contents of this type are not taken."""


class ContentError(UnacceptableError):
    """The content is not what its type says, or something harmful was found in it."""


class ScannerError(UnavailableError):
    """The antivirus did not say that a content is harmless, so the content is not kept."""
