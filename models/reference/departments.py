"""The departments of France, as data beside this module (origin: README.md), and where a FINESS was given."""

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from models import reference
from models.reference.strict import table


def load(folder: Traversable) -> Mapping[str, str]:
    """The departments' names by their codes, in the order of the codes. Raises ReferenceDataError."""
    return table(folder, "departments.csv", ("code", "name"), lambda code, name: (code, name))


DEPARTMENTS: Mapping[str, str] = load(files(reference.__name__))

_OVERSEAS = {"9701": "971", "9702": "972", "9703": "973", "9704": "974", "9805": "976"}


def department_of(finess: str) -> str | None:
    """The department in which a structure was registered: the beginning of its FINESS.

    Overseas that is `970` and the department's last digit (CHU of Guadeloupe, 970100228), and `9805` in Mayotte, from
    when it was none yet (Centre hospitalier, 980500003). Elsewhere two characters, `2A` and `2B` in Corsica. None where
    they are no department's.
    """
    code = _OVERSEAS.get(finess[:4]) or (finess[:3] if finess.startswith("97") else finess[:2])
    return code if code in DEPARTMENTS else None
