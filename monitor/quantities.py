"""The words and numbers that messages and rows are made of, each within its bounds."""

from typing import Annotated

import msgspec
from msgspec import Meta

Slot = Annotated[int, Meta(ge=0, lt=2**53)]  # the trigger's number; +1 each, kept over restarts
Count = Annotated[int, Meta(gt=-(2**53), lt=2**53)]  # of the encoder
Nanoseconds = Annotated[int, Meta(ge=0)]
Word = Annotated[str, Meta(max_length=64)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Pixels = Annotated[int, Meta(ge=0, le=2**31)]


class FrameId(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One piece of surface from the lens to the audit row; prints as `rail-03/head/7/000123`.

    Epoch 0 means that no camera announced the trigger; `seq` is then its slot.
    """

    station: Word
    camera: Word
    epoch: Annotated[int, Meta(ge=0, lt=2**53)]  # counts capture starts, never repeats
    seq: Annotated[int, Meta(ge=0, lt=2**53)]  # without holes inside an epoch

    def __str__(self) -> str:
        return f"{self.station}/{self.camera}/{self.epoch}/{self.seq:06d}"
