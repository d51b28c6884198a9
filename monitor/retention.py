"""What is said of how long pictures are kept: legal holds, their ends, and what expires; rows come of it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from monitor.quantities import Nanoseconds, Sha256, Slot

HELD, LIFTED = "retention.hold", "retention.lift"  # what the person of such a row did
PURGED_MOST = 200  # pictures of one row: 14 kB, which any commit bears

Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
Person = Annotated[str, Meta(min_length=1, max_length=64)]
Why = Annotated[str, Meta(max_length=1000)]


class LegalHold(msgspec.Struct, frozen=True, kw_only=True):
    """Whose pictures stay whatever the policy says: those of a part, or of all that was captured in a period."""

    id: Id
    slot: Slot | None = None
    since: Nanoseconds | None = None  # wall; None with an `until`: from the beginning
    until: Nanoseconds | None = None  # not including it; None with a `since`: for good

    def covers(self, slot: int, captured_at: int) -> bool:
        """Whether the pictures of this verdict are under it."""
        if self.slot is not None:
            return slot == self.slot
        return (self.since or 0) <= captured_at and (self.until is None or captured_at < self.until)


class HoldChange(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A hold is placed, or lifted, by somebody with a name and a reason."""

    hold: LegalHold
    lifts: bool
    who: Person
    why: Why
    at: Nanoseconds  # wall


class Purging(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Pictures that no policy keeps any longer, to become a row before they are deleted."""

    id: Id
    by: Person
    why: Why
    policy: dict[str, int]
    through: Annotated[int, Meta(ge=0)]  # the last row that was looked at: of what came later, nothing is known
    at: Nanoseconds  # wall
    pictures: Annotated[tuple[Sha256, ...], Meta(min_length=1, max_length=PURGED_MOST)]
