"""What a reviewer says of a frame, a part or a region: a row of the journal, and a message on its way there."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

GOOD = "good"
BORDERLINE = "borderline"  # so near a limit that nobody can be blamed either way; any other label is a defect's type
TWIN = "twin"  # the reviewer of a bench station who knows
LABELLED = "label"  # what the person of such a row did

Text = Annotated[str, Meta(min_length=1, max_length=64)]
Nanoseconds = Annotated[int, Meta(ge=0)]


class State(StrEnum):
    """How far a label has come; monitor/rules/labels.py says which may follow which."""

    PROPOSED = "proposed"  # by a net: never truth
    CONFIRMED = "confirmed"  # it is as the line said
    CORRECTED = "corrected"  # it is something else
    REJECTED = "rejected"  # the line called out, and there is nothing
    SECOND_LOOK = "second_look"  # by another reviewer, or once more without knowing the first
    ADJUDICATED = "adjudicated"  # who looked has not agreed, and this counts


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """What was said; who brought it, why and when stands beside it in the row."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]  # of the same saying: it is taken in once
    state: State
    reviewer: Text
    label: Text  # `GOOD`, `BORDERLINE`, or the type of the defect
    region: Annotated[int, Meta(ge=1, le=4096)] | None  # of the verdict, from 1; None: the whole frame or part
    size_mm: (
        Annotated[float, Meta(gt=0, le=1e6)] | None
    )  # of the defect, as measured; of a good part, of a flaw within its limits
    blind: bool  # the reviewer knew neither the verdict nor anybody's label
    trial: Annotated[int, Meta(ge=1, le=100)]  # of this reviewer: how often they were shown it


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """A label with everything that its row says."""

    frame: Annotated[str, Meta(max_length=200)] | None  # None: the whole part
    slot: Annotated[int, Meta(ge=0, lt=2**53)]
    label: Label
    who: Text  # brought it
    why: Annotated[str, Meta(max_length=1000)]
    old: Annotated[str, Meta(max_length=200)]  # state and label before; empty: none
    at: Nanoseconds  # wall


def is_defective(label: str) -> bool | None:
    """Whether such a part must not pass; None: nobody can be blamed."""
    return None if label == BORDERLINE else label != GOOD
