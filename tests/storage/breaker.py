"""Child: migrates again and again, and is killed each time, at the statement that the next line of stdin names."""

import os
import signal
import sys

from sqlalchemy import Engine, event

from storage.database import open_engine
from storage.migrate import migrate


def main(url: str) -> None:
    """Says `killed` or `done` for each line; a process of its own dies, as SIGKILL leaves nothing to clean up."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            engine = open_engine(url, writes=True)
            kill_at(engine, int(line))
            migrate(engine)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write("killed\n" if os.WIFSIGNALED(status) else "done\n" if status == 0 else "failed\n")
        sys.stdout.flush()


def kill_at(engine: Engine, statement: int) -> None:
    """Before the n-th statement, or where the transaction was to be committed as the n-th."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)


if __name__ == "__main__":
    main(sys.argv[1])
