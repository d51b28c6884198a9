"""A web server hears each verdict once, signed; one that is slow, down or in trouble holds nobody up."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import monitor.actuators.webhook
from benchmarks.gate import free_port
from config.onlookers import Webhook
from monitor.actuators.webhook import Notifier
from monitor.messages import Disposition, Hold, Outcome, Reason
from tests.monitor.actuators.brokered import until


class Server(ThreadingHTTPServer):
    """It remembers what came; `statuses` are its next answers, then 204."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Answer)
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.sleeps_s = 0.0
        self.url = f"http://127.0.0.1:{self.server_port}/verdicts?line=1"

    @property
    def slots(self) -> list[int]:
        return [json.loads(body)["slot"] for _, body in self.heard]


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.server.sleeps_s)
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        if status < 300:
            self.server.heard.append((dict(self.headers), body))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """The test's terminal is its own."""


@contextmanager
def a_server(port: int = 0) -> Iterator[Server]:
    server = Server(port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def a_notifier(url: str, **more: Any) -> Iterator[Notifier]:
    notifier = Notifier(Webhook(url=url, **more), station="rail-03")
    try:
        yield notifier
    finally:
        notifier.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor.actuators.webhook, "BACK_OFF_S", (0.05,))


def a_disposition(slot: int, outcome: Outcome = Outcome.PASS) -> Disposition:
    reason = Reason.DARK if outcome is Outcome.NOT_INSPECTED else None
    return Disposition(slot=slot, outcome=outcome, reason=reason, due_count=None)


def test_each_verdict_comes_once_in_order_and_signed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("between us\n")
    secret.chmod(0o600)
    with a_server() as server, a_notifier(server.url, secret=str(secret)) as notifier:
        for slot in (1, 2, 1, 3, 2):
            notifier.tell(a_disposition(slot, Outcome.NOT_INSPECTED))
        notifier.tell(Hold(reason="dark"))
        until(lambda: len(server.heard) == 3)
        headers, body = server.heard[0]

    assert server.slots == [1, 2, 3]
    verdict = json.loads(body)
    assert verdict.pop("at") > 0
    assert verdict == {"station": "rail-03", "slot": 1, "outcome": "NOT_INSPECTED", "reason": "dark"}
    assert headers["X-Line-Signature"] == "sha256=" + hmac.new(b"between us", body, hashlib.sha256).hexdigest()


def test_a_server_in_trouble_is_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    with a_server() as server, a_notifier(server.url) as notifier:
        server.statuses = [500, 503, 429]
        notifier.tell(a_disposition(1))
        notifier.tell(a_disposition(2))
        until(lambda: len(server.heard) == 2)

    assert server.slots == [1, 2]
    assert capsys.readouterr().out.count("notify.unanswered") == 1  # once for the three of them


def test_what_a_server_will_not_have_is_dropped_and_the_next_one_told() -> None:
    with a_server() as server, a_notifier(server.url) as notifier:
        server.statuses = [400, 307]
        for slot in (1, 2, 3):
            notifier.tell(a_disposition(slot))
        until(lambda: server.heard)

    assert server.slots == [3]


def test_a_server_that_is_down_is_waited_for() -> None:
    port = free_port()
    with a_notifier(f"http://127.0.0.1:{port}/verdicts") as notifier:
        notifier.tell(a_disposition(1))
        time.sleep(0.3)
        with a_server(port) as server:
            until(lambda: server.heard)

    assert server.slots == [1]


def test_a_verdict_is_given_up_when_its_time_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with a_notifier(f"http://127.0.0.1:{port}/verdicts", give_up_s=0.2) as notifier:
        notifier.tell(a_disposition(1))
        time.sleep(0.6)
        with a_server(port) as server:
            notifier.tell(a_disposition(2))
            until(lambda: server.heard)

    assert server.slots == [2]
    assert "notify.given_up" in capsys.readouterr().out


def test_a_slow_server_holds_nobody_up_and_what_finds_no_room_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """I7: bounded, and the line's own thread never waits."""
    with a_server() as server:
        server.sleeps_s = 0.3
        with a_notifier(server.url, backlog=5) as notifier:
            begun_s = time.monotonic()
            for slot in range(1, 101):
                notifier.tell(a_disposition(slot))
            took_s = time.monotonic() - begun_s
            dropped = notifier.dropped
            server.sleeps_s = 0.0
            until(lambda: len(server.heard) >= 5)
            notifier.tell(a_disposition(100))  # said until answered: there is room by now
            until(lambda: 100 in server.slots)

    assert took_s < 0.2
    assert dropped >= 94
    assert capsys.readouterr().out.count("backlog.full") == 1


def test_an_answer_that_takes_too_long_is_none() -> None:
    with a_server() as server:
        server.sleeps_s = 0.5
        with a_notifier(server.url, timeout_ms=100.0) as notifier:
            notifier.tell(a_disposition(1))
            time.sleep(0.3)
            assert server.heard == []
            server.sleeps_s = 0.0
            until(lambda: server.heard)
