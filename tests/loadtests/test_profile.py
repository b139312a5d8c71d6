"""Figures say where they come from."""

import re
import sys
from itertools import chain

from loadtests.profile import (
    AGES,
    ASSUMED,
    DEPARTMENTS,
    DOCUMENT_TYPES,
    DOCUMENTS_BY_AGE,
    HOSPITALS,
    MIX,
    NURSES,
    POPULATION,
)

WEIGHTS = (AGES, DEPARTMENTS, DOCUMENTS_BY_AGE, DOCUMENT_TYPES, HOSPITALS, NURSES)


def test_every_figure_has_a_source_or_says_that_it_has_none() -> None:
    """A reader tells at once what was found and what was assumed."""
    sources = {figure.source for figure in chain(POPULATION.values(), MIX.values())} | {each.source for each in WEIGHTS}
    unnamed = [source for source in sources if not re.search(r"seed 00|INSEE|DREES|Ordre|Assurance maladie", source)]
    assert unnamed == [ASSUMED]


def test_the_mix_is_whole() -> None:
    """Shares are of a hundred users."""
    assert sum(figure.value for figure in MIX.values()) == 100


def test_locust_is_not_imported() -> None:
    """It patches sockets and threads, which no test could bear."""
    assert "locust" not in sys.modules
