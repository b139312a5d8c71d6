"""What can go wrong in the vault.

    VaultError
    ├── SealBrokenError           what was stored does not open: one error for every cause, and never a detail
    ├── NoContentError            nothing was ever deposited, or it was erased
    ├── RangeNotSatisfiableError  the range asked for begins beyond the end
    ├── ContentTooLargeError      more than a document may hold
    ├── DepositLostError          what was deposited has been cleared away before it was committed
    ├── KeysUnavailableError      the key service does not answer, or lacks a secret
    ├── KeyStateError             there is no such key, or its state forbids what was asked
    ├── KeyringError              the keyring file is refused: the service does not start
    ├── JournalUnavailableError   the access cannot be written down, so it is not given
    │   └── JournalMovedError       a dossier's journal is not what it was; another try may succeed
    ├── NotIntegratedError        the entry is not in the journal's tree yet
    ├── JournalEntryError         these bytes are no entry of the journal
    ├── ProofError                a proof or a checkpoint of the journal does not hold
    └── StoreError
        ├── StoreUnavailableError   the object store does not answer in time, or refuses
        │   ├── StoreSilentError    the same where asking again may help
        │   └── StoreReadOnlyError  the same where the store says of itself that it cannot write for now
        ├── StoreUnsuitableError    it cannot do what the vault needs: the service does not start
        ├── ObjectExistsError       a name is used once; nothing is overwritten
        ├── NoticeChangedError      somebody else replaced the notice meanwhile
        ├── RecordChangedError      a record is kept as it was first written; these are other bytes
        └── NoObjectError           there is no object of that name

No message holds an identity, a key or a byte of a document.
"""


class VaultError(Exception):
    """Everything that the vault raises."""


class SealBrokenError(VaultError):
    """What was stored does not open.

    Truncated, swapped, altered, rolled back, another patient's, under another key: whoever asks learns only that,
    since any difference would help whoever tampers.
    """

    def __init__(self) -> None:
        super().__init__("what was stored does not open")


class NoContentError(VaultError):
    """Nothing is kept under that document."""


class RangeNotSatisfiableError(VaultError):
    """The range asked for begins beyond the end, or is empty (RFC 9110 §15.5.17)."""


class ContentTooLargeError(VaultError):
    """A document holds at most `vault.documents.MAX_SIZE` bytes."""


class DepositLostError(VaultError):
    """Reconciling took the deposit for one left behind; the caller deposits again."""


class KeysUnavailableError(VaultError):
    """The key service does not answer, or has no such secret."""


class KeyStateError(VaultError):
    """There is no such key, or its state does not allow what was asked; says which and why."""


class KeyringError(VaultError):
    """The keyring file is missing, readable by others, damaged, or locked by another passphrase."""


class JournalUnavailableError(VaultError):
    """The access cannot be written down, so it is not given."""


class JournalMovedError(JournalUnavailableError):
    """A dossier's journal was erased, or went with the transaction that began it; whoever tries again succeeds."""


class NotIntegratedError(VaultError):
    """The entry is written and not yet in the tree, so there is no proof of it; there is one soon."""


class JournalEntryError(VaultError):
    """These bytes are not the canonical form of an entry of the journal; says why, and never repeats them."""


class ProofError(VaultError):
    """A proof or a signed checkpoint of the journal does not hold what it claims, or is none."""


class StoreError(VaultError):
    """What an object store answers but success."""


class StoreUnavailableError(StoreError):
    """The object store refuses connections, does not answer in time or says that it cannot."""


class StoreSilentError(StoreUnavailableError):
    """It did not answer, or answered that it cannot now: the same request may succeed the next time."""


class StoreReadOnlyError(StoreUnavailableError):
    """It says that it cannot write: asking again at once does not help, reading may go on."""


class StoreUnsuitableError(StoreError):
    """The object store lacks something without which documents are not safe in it."""


class ObjectExistsError(StoreError):
    """An object of that name is there already, or being written."""


class NoticeChangedError(StoreError):
    """The notice is no longer the one that was to be replaced."""


class RecordChangedError(StoreError):
    """A record of that name is there already, and its bytes are others."""


class NoObjectError(StoreError):
    """There is no object of that name."""
