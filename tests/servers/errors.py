"""Why a server cannot be had.

UnavailableError          there is none on this machine, and none could be obtained
"""


class UnavailableError(Exception):
    """The server cannot be had here; the message says why and what would help."""
