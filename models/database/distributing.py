"""Distribution over a Citus cluster: which table goes where.

- What belongs to a dossier is distributed by it and co-located: a dossier's rows are on one node, and what is written
  of it at once needs no other. The queues of `notification` and `inquiry` are among it, since a journal entry and what
  must be told of it are one transaction, and so is `journal_waiting`. The figures (`opening`, `emergency`) have random
  ids of the same type, and go with them.
- `tied` is distributed by party and `whereabouts` by bucket, as they are looked up: one node answers.
- The directory, the clients, the rules in force and the keys of shards are on every node (reference tables). They are
  small, and joined to what is on any node. What is written to them is written everywhere or nowhere: a dossier's key
  never outlives the shard key that wraps it.
- The journal's tree stays on the coordinator, with what counts through all dossiers (`scrub`): it is one order, to
  which one instance at a time adds what waits. It takes entries off `journal_waiting` on all shards at once, which
  Citus commits in two phases: no entry is lost between the two.

Nothing that is written together with rows of a dossier by one transaction is on the coordinator alone: Citus would
commit on one worker first, and what the coordinator had still to write would be lost with it.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.errors import DatabaseError

REFERENCE = (
    "professional",
    "organization",
    "exercise",
    "staff",
    "client",
    "shard_key",
    "keyring_seen",
    "policy_in_force",
)
"""In an order in which what another refers to comes first."""

BY_DOSSIER = {
    "dossier": "id",
    "dossier_key": "dossier",
    "has_read": "dossier",
    "contest": "dossier",
    "content": "dossier",
    "pending_object": "dossier",
    "message": "dossier",
    "idempotency": "dossier",
    "scrub_finding": "dossier",
    "journal_entry": "dossier",
    "journal_chain": "dossier",
    "journal_waiting": "dossier",
    "notification": "dossier",
    "inquiry": "dossier",
    "opening": "id",
    "emergency": "id",
}
"""Co-located with the first."""

BY_ITSELF = {"tied": "party", "whereabouts": "bucket"}

ON_COORDINATOR = ("journal_leaf", "journal_node", "journal_head", "journal_checkpoint", "scrub")

_HAS_CITUS = text("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
_PLACED = text("SELECT logicalrelid::text FROM pg_dist_partition")
_WORKERS = text("SELECT count(*) FROM pg_dist_node WHERE isactive AND shouldhaveshards")
_COORDINATOR = text("SELECT count(*) FROM pg_dist_node WHERE groupid = 0")
_ONE_AFTER_ANOTHER = text("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'")

# Citus wants the distribution column in every unique key; of what waits the dossier and the number are one anyway.
_REKEY = (
    "ALTER TABLE journal_waiting DROP CONSTRAINT pk_journal_waiting",
    "ALTER TABLE journal_waiting ADD CONSTRAINT pk_journal_waiting PRIMARY KEY (dossier, sequence)",
    "CREATE INDEX ix_journal_waiting_arrival ON journal_waiting (arrival)",
)


async def is_distributed(connection: AsyncConnection) -> bool:
    """Whether this database was distributed."""
    if connection.dialect.name != "postgresql" or not (await connection.execute(_HAS_CITUS)).first():
        return False
    return "dossier" in (await connection.execute(_PLACED)).scalars().all()


async def check_cluster(connection: AsyncConnection) -> None:
    """Raises DatabaseError unless this is a database of the coordinator of a cluster with workers."""
    if not (await connection.execute(_HAS_CITUS)).first():
        raise DatabaseError("this database is not one of a Citus cluster: `CREATE EXTENSION citus` in it on every node")
    if not await connection.scalar(_COORDINATOR):
        raise DatabaseError("the coordinator does not know itself: `SELECT citus_set_coordinator_host(...)` there")
    if not await connection.scalar(_WORKERS):
        raise DatabaseError("the coordinator knows no worker: `SELECT citus_add_node(...)` there, for each")


async def prepare(connection: AsyncConnection) -> None:
    """Let migrations of a distributed database change tables that refer to each other in one transaction."""
    await connection.execute(_ONE_AFTER_ANOTHER)


async def distribute(connection: AsyncConnection) -> None:
    """Distribute every table that is not yet, with the rows in it; those that are stay where they are."""
    await prepare(connection)
    placed = set((await connection.execute(_PLACED)).scalars())
    for table in REFERENCE:
        await _place(connection, placed, table, f"SELECT create_reference_table('{table}')")
    if "journal_waiting" not in placed:
        for statement in _REKEY:
            await connection.execute(text(statement))
    for table, column in BY_DOSSIER.items():
        beside = "default" if table == "dossier" else "dossier"
        made = f"SELECT create_distributed_table('{table}', '{column}', colocate_with => '{beside}')"
        await _place(connection, placed, table, made)
    for table, column in BY_ITSELF.items():
        await _place(connection, placed, table, f"SELECT create_distributed_table('{table}', '{column}')")


async def _place(connection: AsyncConnection, placed: set[str], table: str, statement: str) -> None:
    if table in placed:
        return
    filled = (await connection.execute(text(f"SELECT 1 FROM {table} LIMIT 1"))).first()  # noqa: S608  # our own tables
    await connection.execute(text(statement))
    if filled:  # Citus copies them, and leaves them where they were, unseen
        await connection.execute(text(f"SELECT truncate_local_data_after_distributing_table('{table}')"))
