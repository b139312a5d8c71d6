"""How patient the vault is with its object store."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests at a time, and how long each may take: to connect, between two bytes, to get its turn, as a whole.

    So many read, and as many write. A store that has not answered a writing for `doubt_seconds` is asked whether it can
    write at all, and has as long to say so. What fails is repeated after a pause, the whole of it within
    `request_seconds`; that an object is missing is doubted so many times. After so many failures in a row, over
    `patience_seconds` at least, nobody asks for `rest_seconds`.
    """

    in_flight: int = 32
    parts_in_flight: int = 16
    parts_of_one: int = 4
    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    doubt_seconds: float = 1.5
    slot_seconds: float = 10.0
    request_seconds: float = 45.0
    repetitions: int = 5
    absences: int = 2
    pause_seconds: float = 0.2
    longest_pause_seconds: float = 3.0
    failures: int = 4
    patience_seconds: float = 3.0
    rest_seconds: float = 5.0
