"""A writer of the journal and a recorder, without cameras and a net, to be killed together: `pair.py`, and on each line
of stdin a folder. It answers with the process group, when both are at work; the folder gets `said`, what was promised.
"""

import os
import sys
import threading
from pathlib import Path

from config.proof import Proof
from storage import journal
from storage.audit import AuditStore
from storage.follower import Follower, Opens
from storage.images import ImageStore
from storage.journal import open_journal
from storage.proof.signer import CheckpointSigner
from storage.reader import JournalReader
from tests.storage.builders import an_actuated
from tests.storage.writer import a_row

ROWS_PER_FILE = 20


def write(folder: Path, said: int, kept: int) -> None:
    """Decision's part: rows and pictures, as fast as they become durable; what the image store has is dropped."""
    os.set_blocking(kept, False)
    with JournalReader(folder) as reader:
        slot = reader.last_slots().get("head", 0)
    opened = open_journal(folder, rows_per_file=ROWS_PER_FILE)
    while True:
        slot += 1
        row, pictures = a_row(slot)
        os.write(said, f"row {opened.append([row], pictures)[-1]}\n".encode())
        opened.append([an_actuated(slot)])
        try:
            seq = int(os.read(kept, 4096).split()[-1])
        except BlockingIOError:
            continue
        os.write(said, f"kept {seq}\npruning {seq}\n".encode())
        opened.prune(seq)
        opened.checkpoint()


def record(folder: Path, kept: int) -> None:
    """The recorder's part: images, SQL and checkpoints, each in its thread."""

    def images(reader: JournalReader) -> ImageStore:
        store = ImageStore(folder, reader.attachment)
        store.open()
        return store

    url = f"sqlite:///{folder / 'audit.sqlite'}"
    opens: dict[str, Opens] = {"images": images, "audit": lambda _: AuditStore(url, "rail-03")}
    followers = {name: Follower(name, folder, each) for name, each in opens.items()}
    signer = CheckpointSigner("rail-03", folder, Proof(every_rows=10), None)
    threads: list[Follower | CheckpointSigner] = [*followers.values(), signer]
    for thread in threads:
        thread.start()
    pause, told = threading.Event(), 0
    with JournalReader(folder) as reader:
        while not pause.wait(0.005):
            for each in threads:
                each.follow(reader.last_seq())
            if followers["images"].taken > told:
                told = followers["images"].taken
                os.write(kept, f"{told}\n".encode())


def main() -> None:
    journal.WAL_WORTH = 0
    for line in sys.stdin:
        folder = Path(line.strip())
        if (child := os.fork()) == 0:
            os.setsid()
            hears, tells = os.pipe()
            said = os.open(folder.parent / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            if os.fork() == 0:
                record(folder, tells)
            os.write(1, f"{os.getpid()}\n".encode())
            write(folder, said, hears)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
