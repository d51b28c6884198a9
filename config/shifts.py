"""When a plant's shifts begin; rollups and reports count by them."""

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from config.base import Table, type_checked_list

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class Shifts(Table):
    """The day's shifts, each until the next begins; the last one of a day ends with the first of the next."""

    begin: Annotated[tuple[str, ...], type_checked_list] = Field(
        default=("06:00", "14:00", "22:00"), min_length=1, max_length=12
    )
    zone: str = Field(default="UTC", max_length=64)  # of these times; an IANA name, as Europe/Vienna

    @field_validator("begin")
    @classmethod
    def _are_times(cls, begin: tuple[str, ...]) -> tuple[str, ...]:
        for text in begin:
            if not _CLOCK.fullmatch(text):
                raise ValueError(f"{text!r} is not a time of day, as 06:00")
        if list(begin) != sorted(set(begin)):
            raise ValueError(f"{list(begin)} are not in order, or one is given twice")
        return begin

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"{zone!r} is not a time zone, as UTC or Europe/Vienna") from error
        return zone

    def around(self, wall_ns: int) -> tuple[int, int]:
        """(begin, end) of the shift of this moment; wall time, ns since 1970."""
        seconds = wall_ns // 1_000_000_000
        today = datetime.fromtimestamp(seconds, ZoneInfo(self.zone)).date()
        begins = sorted({begin for days in (-1, 0, 1) for begin in self._of_day(today + timedelta(days=days))})
        before = max(begin for begin in begins if begin <= seconds)
        behind = min(begin for begin in begins if begin > seconds)
        return before * 1_000_000_000, behind * 1_000_000_000

    def period(self, day: date, number: int) -> tuple[int, int]:
        """(begin, end) of the shift of this number, from 1, that begins on this day; wall time, ns since 1970."""
        return self.around(self._of_day(day)[number - 1] * 1_000_000_000)

    def _of_day(self, day: date) -> list[int]:
        """When the shifts of this day begin, s since 1970; a time that the clock skips is that much later."""
        zone = ZoneInfo(self.zone)
        return [int(datetime.combine(day, time.fromisoformat(text), zone).timestamp()) for text in self.begin]
