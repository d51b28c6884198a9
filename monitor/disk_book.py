"""The disk ladder of a run: measured, announced step by step, and the reserve given up and made anew."""

import structlog

from monitor.disk_watch import DiskWatch
from monitor.rules.alarms import Board
from monitor.rules.disk import ROOM, Level, limit_mb, next_level

log = structlog.get_logger()


class DiskBook:
    """Between decision's desk and the disk; alarms go to the board."""

    def __init__(self, watch: DiskWatch | None, board: Board) -> None:
        """`watch`: None where nobody looks at the disk, and every picture is kept."""
        self._watch, self._board = watch, board
        self.level = Level.ALL

    def look(self, now_ns: int) -> None:
        """Takes the steps that the room there is asks for, or undoes them. Not inside a PASS: it asks the disk."""
        if self._watch is None:
            return
        free_mb = self._watch.free_mb()
        self._go(next_level(self.level, free_mb, self._watch.disk), f"{free_mb:.0f} MB free", now_ns)

    def full(self, found: str, now_ns: int) -> bool:
        """The journal could not be written: the last step at once, whatever was measured. False: nobody watches."""
        if self._watch is None:
            return False
        self._go(Level.HOLD, found, now_ns)
        self._watch.give_up_reserve()
        return True

    def _go(self, level: Level, found: str, now_ns: int) -> None:
        watch = self._watch
        if watch is None:
            return
        while self.level < level:
            self.level = Level(self.level + 1)
            text = f"{found}, less than {limit_mb(self.level, watch.disk)}: {_MEANS[self.level]}"
            if self.level is Level.HOLD:
                self._board.call("disk.full", self.level.said, "hold", text, now_ns)
            else:
                self._board.call("disk.low", self.level.said, "warn", text, now_ns)
        while self.level > level:
            text = f"{found}, at least {ROOM:g} × {limit_mb(self.level, watch.disk)}: {self.level.said} is undone"
            self.level = Level(self.level - 1)
            self._board.call("disk.room", self.level.said, "warn", text, now_ns)
        if self.level is Level.HOLD:
            watch.give_up_reserve()
        elif not watch.has_reserve:
            watch.make_reserve()


_MEANS = {
    Level.NO_PASS_FRAMES: "no sampled frames of parts that passed",
    Level.NO_FRAMES: "no full frames",
    Level.SMALL_CROPS: "crops at half their size",
    Level.NO_CROPS: "no pictures at all",
    Level.HOLD: "the line stands until a person has made room",
}
