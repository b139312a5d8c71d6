"""What `dmp keys status` prints."""

import json
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from vault.keys import KeyState
from vault.keys.rotation.standing import Standing, TreeStanding

_WIDTH = 110


def as_table(standing: Standing) -> str:
    """For people."""
    table = Table("tree", "master", "state", "shard keys below", "floor", box=None, pad_edge=False)
    for tree in standing.trees:
        for master in tree.masters:
            below = str(tree.below.get(master.key_id, 0))
            table.add_row(tree.tree.value, master.key_id, master.state.value, below, str(tree.floor))
    console = Console(width=_WIDTH, color_system=None)
    with console.capture() as captured:
        console.print(table)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    return "\n".join([_service(standing), "", *lines, "", *_shards(standing)])


def as_json(standing: Standing) -> str:
    """For programs."""
    told = {
        "service": standing.service,
        "generation": standing.generation,
        "limit": standing.limit,
        "trees": {tree.tree.value: _members(tree) for tree in standing.trees},
    }
    return json.dumps(told, indent=2)


def _service(standing: Standing) -> str:
    return f"{standing.service}" + (f", generation {standing.generation}" if standing.generation else "")


def _shards(standing: Standing) -> Iterator[str]:
    for tree in standing.trees:
        if not tree.shards:
            yield f"{tree.tree}: no shard key yet"
            continue
        states = ", ".join(f"{tree.shards[state]} {state}" for state in KeyState if state in tree.shards)
        used = f"; {tree.most_used} has wrapped most: {tree.uses} of {standing.limit}" if tree.uses else ""
        outdated = f"; {tree.outdated} under replaced versions" if tree.outdated else ""
        yield f"{tree.tree}: shard keys: {states}; highest version {tree.highest_version}{used}{outdated}"


def _members(tree: TreeStanding) -> dict[str, object]:
    return {
        "primary": tree.primary,
        "floor": tree.floor,
        "masters": [
            {"id": master.key_id, "state": master.state.value, "shard_keys": tree.below.get(master.key_id, 0)}
            for master in tree.masters
        ],
        "shard_keys": {state.value: tree.shards.get(state, 0) for state in KeyState},
        "highest_version": tree.highest_version,
        "most_used": {"id": tree.most_used, "uses": tree.uses} if tree.most_used else None,
        "outdated": tree.outdated,
    }
