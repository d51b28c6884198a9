"""Real sockets between real threads and processes: what is bounded, what is dropped, what comes through whole."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import monitor.bus.wire as wire
from config.loader import parse_station
from monitor.bus.endpoints import EndpointError, Endpoints
from monitor.bus.wire import Bell, Dealer, Ears, Inlet, Publisher, Puller, Pusher, Router, Subscriber
from monitor.lifeline import Beat, Go, Lifeline, Ready, Rope
from monitor.messages import Closed, Credit, Frame
from tests.monitor.builders import a_frame, a_station


@pytest.fixture
def at(tmp_path: Path) -> Callable[[str], str]:
    return lambda name: f"ipc://{tmp_path}/{name}"


def until(happened: Callable[[], object], seconds: float = 5.0) -> None:
    end_s = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.01)


def one(inlet: Inlet) -> Iterator[object]:
    return (message for message, _ in inlet.messages())


def test_nothing_queues_for_a_peer_that_is_not_there(at: Callable[[str], str]) -> None:
    with Pusher(at("a")) as pusher:
        sent = pusher.send(Closed(frame=a_frame()))

    assert sent is False


def test_a_router_knows_that_a_worker_is_gone(at: Callable[[str], str]) -> None:
    frame = Frame(frame=a_frame(), slot=1, attempt=1, due_ns=0)
    with Router(at("a")) as router:
        with Dealer(at("a"), identity="inference-0.1") as dealer:
            until(lambda: dealer.send(Credit(worker="w", p99_ms=1.0, serves=1)))
            until(lambda: [peer for peer, _, _ in router.messages()] == ["inference-0.1"])
            there = router.send("inference-0.1", frame)
        until(lambda: not router.send("inference-0.1", frame))

    assert there


def test_pixels_come_through_whole(at: Callable[[str], str]) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (1000, 160), dtype=np.uint8)
    with Publisher(at("a")) as publisher, Subscriber(at("a")) as viewer:
        seen: list[object] = []

        def publish() -> object:
            publisher.send(Frame(frame=a_frame(), slot=1, attempt=1, due_ns=0), {"pixels": pixels})
            seen.extend(payload["pixels"] for _, payload in viewer.messages())
            return seen

        until(publish)

    assert np.array_equal(np.asarray(seen[0]), pixels)


def test_an_oversize_message_is_refused_and_its_sender_cut_off(
    at: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MESSAGE_BYTES", 10_000)
    with Puller(at("a")) as puller, Pusher(at("a")) as pusher:
        until(lambda: pusher.send(Closed(frame=a_frame(1))))
        until(lambda: list(one(puller)))
        pusher.send(Closed(frame=a_frame(2)), {"frame": b"x" * 20_000})
        time.sleep(0.3)

        assert list(one(puller)) == []


def test_a_wrong_message_is_dropped_and_the_next_is_read(at: Callable[[str], str]) -> None:
    with Puller(at("a")) as puller, Pusher(at("a")) as pusher:
        until(lambda: pusher.send(Closed(frame=a_frame(1))))
        pusher.socket.send(b"\xc1\xc1")
        pusher.send(Closed(frame=a_frame(2)))
        heard: list[object] = []
        until(lambda: len(heard.__iadd__(one(puller))) == 2)

    assert heard == [Closed(frame=a_frame(1)), Closed(frame=a_frame(2))]


def test_sockets_lie_in_a_folder_that_is_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    folder = Path(Endpoints(a_station()).decision.removeprefix("ipc://")).parent

    assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_open_to_others_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = Path(Endpoints(a_station()).decision.removeprefix("ipc://")).parent
    folder.chmod(0o777)

    with pytest.raises(EndpointError, match="must be ours, mode 700"):
        Endpoints(a_station()).decision  # noqa: B018 - asking is the act


def test_a_socket_path_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))

    with pytest.raises(EndpointError, match="at most 107"):
        Endpoints(a_station()).decision  # noqa: B018 - asking is the act


def test_over_tcp_every_end_has_a_port_of_its_own() -> None:
    table = a_station().model_dump(mode="json", exclude_none=True) | {
        "bus": {"kind": "tcp", "host": "127.0.0.1", "port": 7400}
    }
    ends = Endpoints(parse_station(table, at="rail-03"))

    addresses = [ends.decision, ends.actuation, ends.plant, ends.leases("head"), ends.closed("head"), ends.lens("head")]

    assert len(set(addresses)) == len(addresses)
    assert all(address.startswith("tcp://127.0.0.1:74") for address in addresses)


def test_the_rope_carries_orders_and_notes_and_is_cut() -> None:
    rope = Rope()
    lifeline = Lifeline(rope.theirs)
    lifeline.ready(fps=3.0)
    lifeline.beat()
    rope.order(Go(frames=3))

    notes, let_go = rope.notes()
    orders = lifeline.orders()
    rope.cut()
    lifeline.orders()
    lifeline.close()

    assert notes == [Ready(facts={"fps": 3.0}), Beat()]
    assert not let_go
    assert orders == [Go(frames=3)]
    assert lifeline.cut


def test_a_bell_that_nobody_closed_leaves_the_next_its_own_place() -> None:
    ids, sockets = set(), []

    for _ in range(50):
        bell = Bell()
        bell._rope.close()
        ids.add(id(bell))
        sockets.append(bell.socket)  # bound, as a hung reader's, and its bell gone
        del bell

    assert len(ids) < len(sockets)  # else this shows nothing: an id came again, and its place was free
    for socket in sockets:
        socket.close()


def test_a_bell_wakes_the_loop_from_another_thread_and_never_blocks_it() -> None:
    rope = Rope()
    bell = Bell()
    ears = Ears(Lifeline(rope.theirs), bell)

    def ring() -> None:
        for _ in range(1000):
            bell.ring()

    ringer = threading.Thread(target=ring)
    before, _ = ears.wait(0)
    ringer.start()
    rung, _ = ears.wait(5000)
    ringer.join()
    bell.hush()
    after, _ = ears.wait(0)
    bell.close()
    rope.theirs.close()
    rope.cut()

    assert (before, rung, after) == (set(), {bell}, set())
