"""Many small documents in one object: a pack, written at once, in which each is sealed as it would be alone.

A row names its document's object: 32 digits if it lies there alone, and 8 more if it lies in a pack, which say where it
begins. Both are digits, so that any database puts them in the order of objects. A document that leaves its pack is
noise there, for its key is gone; the pack goes with the last of them.
"""

_NAME_SIZE = 32
_POSITION_SIZE = 8

LARGEST_PACK = 4 * 1024 * 1024
"""In bytes, unless one document is larger. It is held in memory as a whole, and goes in one request."""


def packed(pack: str, position: int) -> str:
    """How a row names what begins there in the pack."""
    return f"{pack}{position:0{_POSITION_SIZE}x}"


def object_of(name: str) -> str:
    """The object that a row names."""
    return name[:_NAME_SIZE]


def position_in_pack(name: str) -> int | None:
    """Where in it the document begins; None if it is there alone, as is whatever has another name."""
    if len(name) != _NAME_SIZE + _POSITION_SIZE:
        return None
    return int(name[_NAME_SIZE:], 16)


def after_pack(pack: str) -> str:
    """Comes after every name of what lies in the pack, and before those of the next object."""
    return f"{pack}g"
