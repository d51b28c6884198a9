"""Puts the register map into docs/plc.md: `python -m benchmarks.plc_page docs/plc.md`.

Its source is the table that the line and the simulated PLC go by.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from monitor.actuators import registers
from monitor.actuators.registers import Register
from monitor.messages import Outcome
from monitor.rules.handshake import REASON_CODES, LineStatus, Mailbox, Result

HEAD = ["| offset | name | type | what |", "|---|---|---|---|"]


def filled(page: str) -> str:
    """The page with each marked place made anew."""
    for name, lines in _places().items():
        parts = re.split(rf"(<!-- {name} -->\n|<!-- /{name} -->)", page)
        if len(parts) != 5:
            raise ValueError(f"<!-- {name} --> and <!-- /{name} --> must each stand once, on lines of their own")
        parts[2] = "\n".join(lines) + "\n"
        page = "".join(parts)
    return page


def _places() -> dict[str, list[str]]:
    codes = [f"{code} {reason}" for reason, code in REASON_CODES.items()]
    return {
        "plc": _table(registers.PLC_BLOCK),
        "acted": _table(registers.ACTED_ENTRY),
        "line": _table(registers.LINE_BLOCK),
        "result": _table(registers.RESULT_ENTRY),
        "reasons": [", ".join(codes) + "."],
        "example": ["    " + " ".join(f"{word:04x}" for word in _example())],
    }


def _table(entries: Sequence[Register]) -> list[str]:
    return HEAD + [f"| {e.offset} | `{e.name}` | {e.kind} | {e.says} |" for e in entries]


def _example() -> list[int]:
    line = LineStatus(heartbeat=5, ready=True, busy=True, hold=False, fault=False, hold_code=0, last_slot=70_001)
    passed = Result(slot=70_001, outcome=Outcome.PASS, reason_code=0)
    return registers.line_words(line, Mailbox(batch=3, results=(passed,)))


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(filled(path.read_text()))
