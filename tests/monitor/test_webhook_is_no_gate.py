"""A web server is no way to a gate: what it answers, or how late, is nothing to a part; a guard taken out is seen."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

import monitor.actuation
import monitor.actuators.webhook
from config.loader import load_station
from config.onlookers import Webhook
from monitor.actuators.log import LogFile
from monitor.actuators.webhook import Notifier
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Puller, Pusher
from monitor.lifeline import Lifeline, Ready, Rope
from monitor.messages import Actuated, Disposition, Gate
from monitor.rules.sparkplug import Told
from tests.line.test_bad_files import a_folder_station
from tests.monitor.actuators.brokered import until
from tests.monitor.test_webhook import a_disposition, a_server

PARTS = 8
SLOW_S = 0.3


class SilentGate(LogFile):
    """A gate that takes each order, and never says what became of it."""

    def heard(self) -> list[Actuated]:
        return []


class GateByHttp(SilentGate):
    """The guard taken out: a web server that says 2xx has moved a gate, for all that the line knows."""

    def __init__(self, path: Path, url: str) -> None:
        super().__init__(path)
        self._notifier = Notifier(Webhook(url=url), station="rail-03")
        self._taken: list[Actuated] = []

    def send(self, disposition: Disposition) -> None:
        self._notifier._post(msgspec.json.encode(disposition))
        self._taken.append(
            Actuated(slot=disposition.slot, outcome=disposition.outcome, gate=Gate.RELEASED, at_count=None, late_ms=0.0)
        )

    def heard(self) -> list[Actuated]:
        taken, self._taken = self._taken, []
        return taken

    def close(self) -> None:
        self._notifier.close()
        super().close()


class PostsItself(Notifier):
    """The guard taken out: who tells it something waits for the server's answer."""

    def tell(self, told: Told) -> None:
        if isinstance(told, Disposition):
            self._deliver(msgspec.json.encode(told))


class Actuation:
    """`run_actuation` in a thread, beside real sockets; what decision hears of it."""

    def __init__(self, named: str) -> None:
        station = load_station(named)
        ends = Endpoints(station)
        self.confirmed: dict[int, Gate] = {}
        self._rope = Rope()
        self._decision, self._orders = Puller(ends.decision), Pusher(ends.actuation)
        lifeline = Lifeline(self._rope.theirs)
        self._thread = threading.Thread(
            target=monitor.actuation.run_actuation, args=(lifeline, station), daemon=True, name="actuation"
        )
        self._thread.start()
        until(lambda: any(isinstance(note, Ready) for note in self._rope.notes()[0]))

    def order(self, disposition: Disposition) -> None:
        until(lambda: self._orders.send(disposition))

    def confirms(self, slots: int) -> bool:
        for message, _ in self._decision.messages():
            if isinstance(message, Actuated):
                self.confirmed[message.slot] = message.gate
        return len(self.confirmed) >= slots

    def close(self) -> None:
        self._rope.cut()
        self._thread.join(20.0)
        self._rope.theirs.close()
        for end in (self._decision, self._orders):
            end.close()


@contextmanager
def actuation(folder: Path, url: str) -> Iterator[Actuation]:
    """Of a station whose gate is a file, and which tells this server."""
    station = a_folder_station(folder)
    station.write_text(station.read_text() + f'[[notify]]\nurl = "{url}"\n')
    opened = Actuation(str(station))
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LINE_STATE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    "kind", [pytest.param(Notifier, id="guarded"), pytest.param(PostsItself, id="guard-taken-out")]
)
def test_i3_a_slow_server_does_not_make_actuation_late(
    kind: type[Notifier], state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor.actuators.webhook, "Notifier", kind)
    with a_server() as server, actuation(state, server.url) as gate:
        server.sleeps_s = SLOW_S
        begun_s = time.monotonic()
        for slot in range(1, PARTS + 1):
            gate.order(a_disposition(slot))
        until(lambda: gate.confirms(PARTS))
        took_s = time.monotonic() - begun_s
        server.sleeps_s = 0.0

    assert (took_s < SLOW_S * PARTS) is (kind is Notifier)


@pytest.mark.parametrize("by_http", [pytest.param(False, id="guarded"), pytest.param(True, id="guard-taken-out")])
def test_i2_what_a_server_answers_confirms_no_part(by_http: bool, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decision says each disposition again until its gate confirms it: nobody else may."""
    with a_server() as server:
        path = state / "dispositions.jsonl"
        gate = GateByHttp(path, server.url) if by_http else SilentGate(path)
        monkeypatch.setattr(monitor.actuation, "open_actuator", lambda *_, **__: gate)
        with actuation(state, server.url) as running:
            for slot in (1, 2, 3):
                running.order(a_disposition(slot))
            until(lambda: set(server.slots) == {1, 2, 3})
            time.sleep(0.2)
            running.confirms(3)

    assert running.confirmed == (dict.fromkeys((1, 2, 3), Gate.RELEASED) if by_http else {})
