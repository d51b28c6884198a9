"""How the journal is proved: how often its head is signed, and where the signed checkpoints are kept besides."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import Field

from config.base import Table


class Proof(Table):
    """A checkpoint after so many rows, or so many seconds, whichever comes first; see docs/proof.md."""

    every_rows: int = Field(default=1000, ge=1, le=1_000_000)
    every_s: float = Field(default=60.0, gt=0, le=86_400)  # what is cut off behind the last checkpoint is not missed
    copy_to: str = Field(default="", max_length=1000)  # a folder on a disk that who can write the journal cannot


def proof_problems(proof: Proof, located: Callable[[str], Path], state: Path) -> Iterable[tuple[str, str]]:
    """(key, what is wrong) of the table [proof]; `state` is the station's folder."""
    if not proof.copy_to:
        return
    if "$" in os.path.expandvars(proof.copy_to):
        yield "copy_to", f"{proof.copy_to!r} names a variable that is not set in the environment"
    elif located(proof.copy_to).is_relative_to(state):
        yield "copy_to", f"{proof.copy_to!r} lies in {state}: who puts an old copy of that back puts both back"
