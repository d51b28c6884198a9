"""Who is at the keyboard, for the record: the operating system's word, and the reason they gave."""

import getpass
import os
from typing import NamedTuple

WHY = "LINE_WHY"  # `run_line.py --why` hands it to the processes it starts


class Person(NamedTuple):
    """Whom a change is put down to."""

    who: str
    why: str


def this_person() -> Person:
    """The user this process runs as; not proven further."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number only
        who = f"uid {os.getuid()}"
    return Person(who=who[:64], why=os.environ.get(WHY, "")[:1000])
