"""Each guard of a webhook taken out is seen: all that it keeps has a bound, and nothing is waited for too long."""

import hashlib
import hmac
import socket
import time
from pathlib import Path

import pytest

import monitor.actuators.webhook
from benchmarks.gate import free_port
from monitor.actuators.webhook import Unanswered
from monitor.messages import Outcome
from monitor.onlookers import Backlog
from tests.monitor.actuators.brokered import until
from tests.monitor.test_webhook import a_disposition, a_notifier, a_server

SLOW_S = 0.3


class Unbounded(Backlog[bytes]):
    """The guard taken out: there is always room."""

    def __init__(self, name: str, *, most: int) -> None:
        del most
        super().__init__(name, most=0)


class TakenBeforeThereIsRoom(Backlog[bytes]):
    """The guard taken out: what was dropped counts as told."""

    def put(self, item: bytes) -> bool:
        super().put(item)
        return True


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor.actuators.webhook, "BACK_OFF_S", (0.05,))


@pytest.mark.parametrize(
    ("kind", "waiting"), [pytest.param(Backlog, 5, id="guarded"), pytest.param(Unbounded, 99, id="guard-taken-out")]
)
def test_i7_what_waits_for_a_server_has_a_bound(
    kind: type[Backlog[bytes]], waiting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor.actuators.webhook, "Backlog", kind)
    with a_server() as server:
        server.sleeps_s = SLOW_S
        with a_notifier(server.url, backlog=5, give_up_s=0) as notifier:
            notifier.tell(a_disposition(1))
            until(notifier._backlog._waiting.empty)  # it is on its way
            for slot in range(2, 101):
                notifier.tell(a_disposition(slot))
            left = notifier._backlog._waiting.qsize()
            server.sleeps_s = 0.0

    assert left == waiting


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        pytest.param(Backlog, [1, 2, 3], id="guarded"),
        pytest.param(TakenBeforeThereIsRoom, [1, 2], id="guard-taken-out"),
    ],
)
def test_what_found_no_room_is_told_when_it_is_said_again(
    kind: type[Backlog[bytes]], told: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor.actuators.webhook, "Backlog", kind)
    with a_server() as server:
        server.sleeps_s = SLOW_S
        with a_notifier(server.url, backlog=1) as notifier:
            notifier.tell(a_disposition(1))
            until(notifier._backlog._waiting.empty)
            for slot in (2, 3):
                notifier.tell(a_disposition(slot))
            server.sleeps_s = 0.0
            until(lambda: server.slots == [1, 2])
            notifier.tell(a_disposition(3))  # decision repeats until the gate confirms
            time.sleep(0.3)

    assert server.slots == told


@pytest.mark.parametrize(
    ("remembered", "told"),
    [pytest.param(100_000, [1, 2], id="guarded"), pytest.param(0, [1, 2, 1, 2], id="guard-taken-out")],
)
def test_i5_a_disposition_said_again_is_told_once(
    remembered: int, told: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor.actuators.webhook, "REMEMBERED", remembered)
    with a_server() as server, a_notifier(server.url) as notifier:
        for slot in (1, 2, 1, 2):
            notifier.tell(a_disposition(slot))
        until(lambda: len(server.heard) == len(told))

    assert server.slots == told


@pytest.mark.parametrize(
    ("most", "kept"), [pytest.param(10, 10, id="guarded"), pytest.param(10**9, 100, id="taken-out")]
)
def test_i7_the_memory_of_slots_has_a_cap(most: int, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor.actuators.webhook, "REMEMBERED", most)
    with a_server() as server, a_notifier(server.url) as notifier:
        for slot in range(100):
            notifier.tell(a_disposition(slot))

    assert len(notifier._taken) == kept


@pytest.mark.parametrize(
    ("timeout_ms", "gives_up"),
    [pytest.param(100.0, True, id="guarded"), pytest.param(60_000.0, False, id="guard-taken-out")],
)
def test_a_server_that_takes_the_call_and_says_nothing_is_given_up(
    timeout_ms: float, gives_up: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        a_notifier(f"http://127.0.0.1:{mute.getsockname()[1]}/", timeout_ms=timeout_ms, give_up_s=0.1) as notifier,
    ):
        notifier.tell(a_disposition(1))
        time.sleep(0.6)
        said = capsys.readouterr().out

    assert ("notify.given_up" in said) is gives_up


@pytest.mark.parametrize(
    ("give_up_s", "told"), [pytest.param(0.1, [2], id="guarded"), pytest.param(3600.0, [1, 2], id="guard-taken-out")]
)
def test_an_old_verdict_stands_in_no_new_one_s_way(give_up_s: float, told: list[int]) -> None:
    port = free_port()
    with a_notifier(f"http://127.0.0.1:{port}/", give_up_s=give_up_s) as notifier:
        notifier.tell(a_disposition(1))
        time.sleep(0.4)
        with a_server(port) as server:
            notifier.tell(a_disposition(2))
            until(lambda: 2 in server.slots)

    assert server.slots == told


@pytest.mark.parametrize(
    ("close_s", "waits"), [pytest.param(0.1, False, id="guarded"), pytest.param(1.5, True, id="guard-taken-out")]
)
def test_an_end_does_not_wait_for_an_answer(close_s: float, waits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor.actuators.webhook, "CLOSE_S", close_s)
    with a_server() as server, a_notifier(server.url) as notifier:
        server.sleeps_s = 1.2
        notifier.tell(a_disposition(1))
        until(notifier._backlog._waiting.empty)
        begun_s = time.monotonic()
        notifier.close()
        took_s = time.monotonic() - begun_s

    assert (took_s > 0.9) is waits


def test_i11_a_verdict_that_was_changed_on_its_way_does_not_fit_its_signature(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("between us")
    secret.chmod(0o600)
    with a_server() as server, a_notifier(server.url, secret=str(secret)) as notifier:
        notifier.tell(a_disposition(1, Outcome.REJECT))
        until(lambda: server.heard)
        headers, body = server.heard[0]

    fits = [
        headers["X-Line-Signature"] == "sha256=" + hmac.new(key, said, hashlib.sha256).hexdigest()
        for key, said in (
            (b"between us", body),
            (b"between us", body.replace(b"REJECT", b"PASS")),
            (b"of somebody else", body),
        )
    ]
    assert fits == [True, False, False]


def test_a_secret_that_is_gone_by_now_ends_nobody_and_is_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Actuation may start anew long after the station was checked."""
    secret = tmp_path / "secret"
    with a_server() as server, a_notifier(server.url, secret=str(secret)) as notifier:
        notifier.tell(a_disposition(1))
        time.sleep(0.2)
        secret.touch(0o600)  # whoever writes it has only begun
        time.sleep(0.2)
        unsigned = list(server.heard)
        secret.write_text("between us")
        until(lambda: server.heard)

    assert unsigned == []
    assert server.heard[0][0]["X-Line-Signature"]
    assert "secret: cannot be read: No such file" in capsys.readouterr().out


def test_a_server_that_nobody_vouches_for_hears_nothing(tmp_path: Path) -> None:
    """The same where the file of who vouches is gone by now."""
    for ca in ("", str(tmp_path / "gone.pem")):
        with (
            a_server() as server,
            a_notifier(server.url.replace("http:", "https:"), ca=ca) as notifier,
            pytest.raises(Unanswered),
        ):
            notifier._post(b"{}")

        assert server.heard == []
