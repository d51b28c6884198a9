"""The alarms of a run as rows: whoever raised them, which stand, and who acknowledged them."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

import structlog

from config.alarms import Alarms
from monitor.messages import Acknowledge, Alarm
from monitor.rows import AlarmBody, Body, Kind, PersonBody
from monitor.rules.alarms import LATCHED, Board, Called

REMEMBERED = 1000  # an alarm, or its acknowledgement, is said again for seconds, not for days

log = structlog.get_logger()


class AlarmBook:
    """Between decision's desk and the board that watches; `write` takes a row for the next commit."""

    def __init__(
        self, alarms: Alarms, *, run: str, standing: Iterable[AlarmBody], write: Callable[[Kind, Body], None]
    ) -> None:
        self.board = Board(alarms=alarms)
        self._run, self._write = run, write
        self._heard: OrderedDict[str, None] = OrderedDict()
        self._noted: list[str] = []  # will be durable with the next commit
        for body in standing:
            self.board.standing[body.key] = _called(body)

    @property
    def hold(self) -> str | None:
        """Why the line must stand."""
        return next((each.name for each in self.board.standing.values() if each.level == "hold"), None)

    @property
    def lets_pass(self) -> bool:
        """Whether a part may pass, as far as alarms go."""
        return self.board.level not in LATCHED

    def hear(self, alarm: Alarm) -> None:
        """From another process, said until it is noted."""
        self._noted.append(alarm.key)
        if self._is_new(alarm.key):
            body = AlarmBody(
                run=self._run,
                key=alarm.key,
                name=alarm.name,
                about=alarm.about,
                text=alarm.text,
                raised_at=alarm.raised_at,
                level=alarm.level,
            )
            if alarm.level in LATCHED:
                self.board.standing[alarm.key] = _called(body)
            self._write(Kind.ALARM, body)

    def acknowledge(self, said: Acknowledge) -> None:
        """A person has looked: what stood is gone, and who it was is on record. Said until it is."""
        if not self._is_new(said.id):
            return
        gone = self.board.acknowledge(said.key)
        log.info("alarm.acknowledged", who=said.who, alarms=gone)
        self._write(Kind.PERSON, acknowledged(said, gone))

    def flush(self) -> None:
        """Rows for what the board has raised since."""
        for called in self.board.raised():
            log.error(called.name, about=called.about, text=called.text, level=called.level)
            at = time.time_ns()
            key = called.key if called.level in LATCHED else f"{called.key}/{at}"[:64]
            self._write(
                Kind.ALARM,
                AlarmBody(
                    run=self._run,
                    key=key,
                    name=called.name,
                    about=called.about,
                    text=called.text,
                    raised_at=at,
                    level=called.level,
                ),
            )

    def noted(self) -> list[str]:
        """Keys of alarms whose rows the last commit has made durable."""
        noted, self._noted = self._noted, []
        return noted

    def _is_new(self, key: str) -> bool:
        if key in self._heard:
            return False
        self._heard[key] = None
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
        return True


def acknowledged(said: Acknowledge, keys: list[str]) -> PersonBody:
    """The row of an acknowledgement: `old` names the alarms that it ended."""
    return PersonBody(
        who=said.who,
        what="alarm.acknowledge",
        why=said.why,
        old="\n".join(keys),
        new=said.key or "all",
        at=said.said_at,
    )


def _called(body: AlarmBody) -> Called:
    return Called(name=body.name, about=body.about, level=body.level, text=body.text)
