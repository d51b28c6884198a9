"""What is written beside the journal: one JSON object where `--json FILE|-` says; files that are whole or not there."""

import json
import os
import sys
from pathlib import Path
from typing import Any


def write_json(facts: dict[str, Any], to: str) -> None:
    """One JSON object to this file, or to stdout for `-`."""
    if to == "-":
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
    else:
        Path(to).write_text(json.dumps(facts, indent=2) + "\n")


def write_durably(path: Path, text: bytes) -> None:
    """On disk before it takes the old one's place: whole or not there at all, whenever the power fails."""
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the folder's entries durable; a file's own fsync does not."""
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(at)
    finally:
        os.close(at)
