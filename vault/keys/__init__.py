"""Keys: who keeps them, and how a dossier's key comes out of the database.

The key service keeps the masters (`service`); under them are wrapped the keys of shards (`shards`), under these one key
for each dossier (`dossiers`), from which everything else of the dossier is derived. A wrapped key names the key that
wraps it; none is ever found by trying. The deployment's other secrets (`secrets`) and the keys of rows (`rows`) are
keys of shards too.
"""

from vault.keys.dossiers import INS_PURPOSE, DossierKey, DossierKeys, NewDossier, Sealing, dossier_key_name
from vault.keys.rows import RowKeys
from vault.keys.secrets import Secrets, read_secrets
from vault.keys.seen import refuse_older
from vault.keys.service import GeneratedKey, KeyService, KeyState, Master, Name, Status, Tree, WrappedKey, shard_name
from vault.keys.shards import Randomness, ShardKeys, shard_key_id, shard_of

__all__ = [
    "INS_PURPOSE",
    "DossierKey",
    "DossierKeys",
    "GeneratedKey",
    "KeyService",
    "KeyState",
    "Master",
    "Name",
    "NewDossier",
    "Randomness",
    "RowKeys",
    "Sealing",
    "Secrets",
    "ShardKeys",
    "Status",
    "Tree",
    "WrappedKey",
    "dossier_key_name",
    "read_secrets",
    "refuse_older",
    "shard_key_id",
    "shard_name",
    "shard_of",
]
