"""How a command, or the recorder, tells a running line something that must become a row: until it has."""

import time
from collections.abc import Callable

from monitor.bus.wire import Pusher
from monitor.messages import AnyMessage
from monitor.rows import Body, Row
from storage.alarms import HEARD_S, SAY_S, NotHeard
from storage.projection import bodies_of
from storage.reader import JournalReader


def tell(decision: Pusher, reader: JournalReader, message: AnyMessage, is_its_row: Callable[[Body], bool]) -> Row:
    """The row that the message has become. Raises `NotHeard` where there is none within `HEARD_S`."""
    before, until_s = reader.last_seq(), time.monotonic() + HEARD_S
    while time.monotonic() < until_s:
        decision.send(message)
        time.sleep(SAY_S)
        while rows := reader.rows(before):
            before = rows[-1].seq
            for row, body in bodies_of(rows):
                if is_its_row(body):
                    return row
    raise NotHeard(f"the line runs, and wrote nothing down within {HEARD_S:g} s; is decision alive?")
