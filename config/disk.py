"""What is given up as the disk of the state folder fills, so that verdicts can always be written; see docs/disk.md."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from config.base import Table

Megabytes = Annotated[int, Field(ge=1, le=100_000_000)]  # of 10⁶ bytes
STEPS = ("no_pass_frames_mb", "no_frames_mb", "small_crops_mb", "no_crops_mb", "hold_mb")


class Disk(Table):
    """Below so much room each step is taken; a quarter more undoes it."""

    no_pass_frames_mb: Megabytes = 2000  # no sampled frames of parts that passed
    no_frames_mb: Megabytes = 1500  # no full frames at all
    small_crops_mb: Megabytes = 1000  # crops and masks at half their width and height
    no_crops_mb: Megabytes = 600  # no pictures
    hold_mb: Megabytes = 250  # the line stands until a person has made room
    reserve_mb: Megabytes = 16  # a file that is given up last, for the rows that say why the line stands


def disk_problems(disk: Disk) -> Iterable[tuple[str, str]]:
    """(key, what is wrong) of the table [disk]."""
    for before, after in pairwise(STEPS):
        first, then = getattr(disk, before), getattr(disk, after)
        if then >= first:
            yield (
                after,
                f"{then} is not below {before} = {first}: each step needs less room than the one before",
            )
