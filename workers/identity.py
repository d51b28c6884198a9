"""Who a model is, by its manifest, for processes that never load it (and so need no torch)."""

from pathlib import Path

import msgspec

from monitor.messages import Sha256
from workers.errors import ModelError


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a verdict says of its model; workers/checkpoint.py holds the whole manifest to account."""

    name: str
    sha256: Sha256


def load_identity(weights: Path) -> Identity:
    """The identity of the model whose weights lie here."""
    path = weights.with_suffix(".json")
    try:
        return msgspec.json.decode(path.read_bytes(), type=Identity)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; a manifest lies beside its weights") from error
    except msgspec.DecodeError as error:
        raise ModelError(f"{path}: is no manifest: {error}") from error
