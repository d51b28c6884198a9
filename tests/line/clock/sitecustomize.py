"""A wall clock that jumps in every process of a line: Python imports this at its start, where PYTHONPATH names it.

`LINE_TEST_CLOCK` is a file of eight bytes: by how many ns the wall clock is off. The monotonic clock is the host's own.
"""

import mmap
import os
import struct
import time
from pathlib import Path

_REAL_NS = time.time_ns

if _path := os.environ.get("LINE_TEST_CLOCK"):
    with Path(_path).open("rb") as _file:
        _off = mmap.mmap(_file.fileno(), 8, access=mmap.ACCESS_READ)

    def _time_ns() -> int:
        off: int = struct.unpack("<q", _off[:8])[0]
        return _REAL_NS() + off

    time.time_ns = _time_ns
    time.time = lambda: _time_ns() / 1e9
