"""The departments of France, as data beside this module (origin: README.md)."""

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from models import reference
from models.reference.strict import table


def load(folder: Traversable) -> Mapping[str, str]:
    """The departments' names by their codes, in the order of the codes. Raises ReferenceDataError."""
    return table(folder, "departments.csv", ("code", "name"), lambda code, name: (code, name))


DEPARTMENTS: Mapping[str, str] = load(files(reference.__name__))
