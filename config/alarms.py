"""When a person is called: limits of a station's alarms, and what each does to the line."""

from typing import Literal

from pydantic import Field

from config.base import Share, Table

# warn: it is said and recorded. reject: no part passes until it is acknowledged. hold: the line stands until then.
Level = Literal["warn", "reject", "hold"]


class Rule(Table):
    """What every alarm has."""

    level: Level


class InARow(Rule):
    """So many parts, one after the other."""

    parts: int = Field(ge=1, le=1_000_000)


class ShareOf(Rule):
    """More than this share of the last parts."""

    above_share: Share
    of_parts: int = Field(ge=1, le=1_000_000)


class After(Rule):
    """A state that has lasted so long."""

    after_s: float = Field(gt=0, le=86_400)


class Within(Rule):
    """So many within a time."""

    parts: int = Field(ge=1, le=1_000_000)
    within_s: float = Field(gt=0, le=86_400)


class Alarms(Table):
    """What is not given is not watched, but for what never may pass in silence."""

    rejects_in_a_row: InARow | None = None  # a full bin, a wrong recipe: the line holds, it never stops rejecting
    reject_rate: ShareOf | None = None
    unfit_in_a_row: InARow = InARow(
        level="hold", parts=20
    )  # of one camera: dark, frozen, blurred, … or no frame at all
    no_trigger: After | None = None
    late: Within = Within(level="warn", parts=1, within_s=60.0)
    camera_lost: Rule = Rule(level="warn")  # its parts are not inspected anyway
    light_drift: Rule = Rule(level="warn")  # slow, before a health gate trips
    unreconciled: Rule = Rule(level="warn")  # a camera's count was not the PLC's: what is in doubt was rejected already
    store_lag: After = After(level="warn", after_s=10.0)  # images, SQL or Redis is away or behind: the line runs on
    quiet_s: float = Field(default=10.0, ge=0, le=86_400)  # an alarm that came and went is not said again before
