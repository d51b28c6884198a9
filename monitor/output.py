"""Where a command's JSON goes: `--json FILE|-` gets one object, and nothing else."""

import json
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
