"""A process that writes a journal and says what was acknowledged: `writer.py <state folder> <synchronous> <rows>`."""

import os
import sys
from pathlib import Path

from storage import journal as journals
from storage.journal import open_journal
from tests.storage.builders import a_verdict


def main(folder: Path, synchronous: str, rows: int) -> None:
    journals.SYNCHRONOUS = synchronous
    journal = open_journal(folder, rows_per_file=rows // 2)
    for slot in range(1, rows + 1):
        journal.append([a_verdict(slot)])
        os.write(1, f"ack {slot}\n".encode())
    os._exit(0)  # as a kill would: nothing is tidied up


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
