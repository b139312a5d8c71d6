"""Figures say where they come from."""

import re
import sys
from collections.abc import Mapping
from itertools import chain

from loadtests.profile import (
    ACCESS,
    AGES,
    ASSUMED,
    DAY,
    DEPARTMENTS,
    DOCUMENT_TYPES,
    DOCUMENTS_BY_AGE,
    HOSPITALS,
    MIX,
    NURSES,
    POPULATION,
    STORM,
    VISITS,
    Figure,
)

WEIGHTS = (AGES, DEPARTMENTS, DOCUMENTS_BY_AGE, DOCUMENT_TYPES, HOSPITALS, NURSES)


def test_every_figure_has_a_source_or_says_that_it_has_none() -> None:
    """A reader tells at once what was found and what was assumed."""
    tables: tuple[Mapping[str, Figure], ...] = (POPULATION, MIX, VISITS, ACCESS, STORM)
    figures = chain(*(table.values() for table in tables), DAY)
    sources = {figure.source for figure in figures} | {weights.source for weights in WEIGHTS}
    unnamed = [source for source in sources if not re.search(r"seed 00|INSEE|DREES|Ordre|Assurance maladie", source)]
    assert unnamed == [ASSUMED]


def test_the_mix_is_whole() -> None:
    """Shares are of a hundred visits."""
    assert sum(figure.value for figure in MIX.values()) == 100


def test_the_day_has_its_peak() -> None:
    """Twenty-four hours, of which the busiest is the measure of the others."""
    assert (len(DAY), max(hour.value for hour in DAY)) == (24, 1.0)


def test_locust_is_not_imported() -> None:
    """It patches sockets and threads, which no test could bear."""
    assert "locust" not in sys.modules
