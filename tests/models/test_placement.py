"""Where the rows of a distributed database are: computed here as the server does, and every table has its place."""

from uuid import UUID, uuid4

import pytest

from models.database import open_database
from models.database.distributing import BY_DOSSIER, BY_ITSELF, ON_COORDINATOR, REFERENCE
from models.database.placement import Placement, hash_of
from models.tables import metadata

DOSSIERS = [UUID(int=0), UUID(int=2**128 - 1), *(uuid4() for _ in range(50))]
BUCKETS = [0, 1, (1 << 24) - 1, 4_711]


async def test_hashes_are_the_server_s(migrated_postgresql_url: str) -> None:
    """By which Citus chooses a shard."""
    database = await open_database(migrated_postgresql_url)
    try:
        for value in DOSSIERS:
            ((told,),) = await database.read("SELECT uuid_hash($1::uuid)", value)
            assert told == hash_of(value)
        for bucket in BUCKETS:
            ((told,),) = await database.read("SELECT hashint4($1::integer)", bucket)
            assert told == hash_of(bucket)
    finally:
        await database.close()


def test_every_table_has_a_place() -> None:
    """And one only: whoever adds a table says where it is on a cluster."""
    placed = [*REFERENCE, *BY_DOSSIER, *BY_ITSELF, *ON_COORDINATOR]
    assert sorted(table.name for table in metadata.sorted_tables) == sorted(placed)


@pytest.mark.parametrize("table", BY_DOSSIER)
def test_what_belongs_to_a_dossier_is_unique_in_it(table: str) -> None:
    """Citus has no key over several nodes; what waits for the journal's tree is given another."""
    keys = [column.name for column in metadata.tables[table].primary_key.columns]
    assert table == "journal_waiting" or BY_DOSSIER[table] in keys


def test_values_of_a_range_are_together() -> None:
    """In their order; ranges in the order of their hashes, so that all who lock several do so in one order."""
    begins = (-(2**31), -(2**30), 0, 2**30)
    rows = [
        row
        for number, begin in enumerate(begins)
        for row in (
            ("dossier", number, begin, f"worker{number % 2}", 5432, 1),
            ("has_read", 10 + number, begin, f"worker{number % 2}", 5432, 1),
            ("whereabouts", 20 + number, begin, f"worker{number % 2}", 5432, 2),
        )
    ]
    placement = Placement.located([*rows, ("professional", 99, None, "worker0", 5432, 3)])
    together = placement.together(DOSSIERS)
    assert sorted(DOSSIERS) == sorted(value for some in together for value in some)
    firsts = [max(begin for begin in begins if begin <= hash_of(some[0])) for some in together]
    assert sorted(firsts) == firsts
    place = placement.place_of(together[0][0])
    number = begins.index(firsts[0])
    assert (place.tables["has_read"], place.tables["professional"]) == (f"has_read_{10 + number}", "professional_99")
    assert placement.place_of(0).tables["whereabouts"].startswith("whereabouts_2")
