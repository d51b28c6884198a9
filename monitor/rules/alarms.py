"""What calls a person, and until when: limits, debouncing and latches; pure.

    watch ──▶ raised ── condition over ──▶ cleared          (warn: that is all)
                │
                └── reject, hold: latched ── acknowledged ──▶ gone

A latched alarm stays, whatever becomes of its condition, until somebody has acknowledged it by name.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from config.alarms import Alarms, Level
from monitor.messages import Outcome, Reason

LEVELS: tuple[Level, ...] = ("warn", "reject", "hold")
LATCHED: frozenset[Level] = frozenset({"reject", "hold"})
STANDING_MOST = 1000  # more alarms at once tell nobody anything
UNFIT = frozenset(
    {
        Reason.NO_CAMERA, Reason.UNREADABLE, Reason.WRONG_FORMAT, Reason.WRONG_SIZE, Reason.INCOMPLETE, Reason.CORRUPT,
        Reason.FROZEN, Reason.DARK, Reason.SATURATED, Reason.BLURRED,
    }
)  # fmt: skip
_S = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Called:
    """An alarm at its beginning."""

    name: str  # rejects.in_a_row
    about: str
    level: Level
    text: str

    @property
    def key(self) -> str:
        return f"{self.name}/{self.about}"[:64]


@dataclass(kw_only=True)
class Board:
    """The alarms of one run; `standing` are those that somebody must acknowledge."""

    alarms: Alarms
    standing: OrderedDict[str, Called] = field(default_factory=OrderedDict)  # by key; other processes' have their own
    _raised: list[Called] = field(default_factory=list)
    _quiet_ns: dict[str, int] = field(default_factory=dict)  # key → said last
    _row: int = 0  # rejected parts, one after the other
    _recent: deque[bool] = field(default_factory=deque)  # whether each of the last parts was rejected
    _unfit: dict[str, int] = field(default_factory=dict)  # camera → frames, one after the other
    _late_ns: deque[int] = field(default_factory=deque)
    _triggers: int | None = None
    _triggered_ns: int = 0

    @property
    def level(self) -> Level | None:
        """The gravest that stands."""
        return max((called.level for called in self.standing.values()), key=LEVELS.index, default=None)

    def part(self, outcome: Outcome, now_ns: int) -> None:
        """A part was decided."""
        rejected = outcome is not Outcome.PASS
        self._row = self._row + 1 if rejected else 0
        if (rule := self.alarms.rejects_in_a_row) and self._row == rule.parts:
            self.call("rejects.in_a_row", "gate", rule.level, f"{self._row} parts rejected one after the other", now_ns)
        if rate := self.alarms.reject_rate:
            self._recent.append(rejected)
            if len(self._recent) > rate.of_parts:
                self._recent.popleft()
            share = sum(self._recent) / len(self._recent)
            if len(self._recent) == rate.of_parts and share > rate.above_share:
                text = f"{share:.0%} of the last {rate.of_parts} parts rejected, more than {rate.above_share:.0%}"
                self.call("rejects.rate", "gate", rate.level, text, now_ns)
                self._recent.clear()  # judged anew, on parts that come after this

    def frame(self, camera: str, reason: Reason | None, now_ns: int) -> None:
        """A frame was closed; `reason` says why nobody judged it."""
        self._unfit[camera] = self._unfit.get(camera, 0) + 1 if reason in UNFIT else 0
        rule = self.alarms.unfit_in_a_row
        if self._unfit[camera] == rule.parts:
            text = f"{rule.parts} frames one after the other were not inspected, the last as {reason}"
            self.call("camera.unfit", camera, rule.level, text, now_ns)

    def late(self, slot: int, text: str, now_ns: int) -> None:
        """A disposition missed its part."""
        rule = self.alarms.late
        self._late_ns.append(now_ns)
        while self._late_ns and now_ns - self._late_ns[0] > rule.within_s * _S:
            self._late_ns.popleft()
        if len(self._late_ns) >= rule.parts:
            self.call("disposition.late", f"slot {slot}", rule.level, text, now_ns)

    def unreconciled(self, camera: str, text: str, now_ns: int) -> None:
        """A camera's count was not the PLC's."""
        self.call("counts.unreconciled", camera, self.alarms.unreconciled.level, text, now_ns)

    def counted(self, triggers: int, *, moving: bool, now_ns: int) -> None:
        """The source's counter; on a belt that stands no trigger is missed."""
        if self._triggers is None or triggers != self._triggers or not moving:
            self._triggers, self._triggered_ns = triggers, now_ns
            return
        rule = self.alarms.no_trigger
        if rule and now_ns - self._triggered_ns > rule.after_s * _S:
            text = f"the belt runs, and for {rule.after_s:g} s nothing was triggered"
            self.call("trigger.none", "source", rule.level, text, now_ns)
            self._triggered_ns = now_ns

    def call(self, name: str, about: str, level: Level, text: str, now_ns: int) -> None:
        """Raises an alarm, unless it stands already or was said a moment ago."""
        called = Called(name=name, about=about, level=level, text=text)
        said_ns = self._quiet_ns.get(called.key)
        if called.key in self.standing or (said_ns is not None and now_ns - said_ns < self.alarms.quiet_s * _S):
            return
        self._quiet_ns[called.key] = now_ns
        if len(self._quiet_ns) > STANDING_MOST:
            del self._quiet_ns[next(iter(self._quiet_ns))]
        self._raised.append(called)
        if level in LATCHED:
            self.standing[called.key] = called
            if len(self.standing) > STANDING_MOST:
                self.standing.popitem(last=False)

    def raised(self) -> list[Called]:
        """Those since the last call."""
        raised, self._raised = self._raised, []
        return raised

    def acknowledge(self, key: str) -> list[str]:
        """The keys that this ends: this one if it stands, or all of them for an empty one."""
        gone = [each for each in self.standing if key in ("", each)]
        for each in gone:
            del self.standing[each]
            self._quiet_ns.pop(each, None)
        return gone
