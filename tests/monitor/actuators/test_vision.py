"""The line's OPC UA server tells each part once, refuses what it does not offer, and never keeps actuation waiting."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from structlog.testing import capture_logs

from benchmarks.gate import free_port
from config.loader import load_station
from config.opcua_server import OpcUaServer
from config.remote import Certificates
from monitor.actuators import vision
from monitor.actuators.opcua_server import _Doorkeeper
from monitor.actuators.vision import VisionServer
from monitor.lifeline import Go
from monitor.messages import Actuated, Disposition, Gate, Hold, Outcome, Reason
from tests.monitor.actuators.opcua_servers import CLIENT_URI, write_keys
from tests.monitor.actuators.visitors import no_parameters, visiting


@contextmanager
def a_server(**facts: object) -> Iterator[tuple[VisionServer, int]]:
    given = OpcUaServer.model_validate({"port": free_port()} | facts)
    server = VisionServer(load_station("rail-03"), given)
    try:
        yield server, given.port
    finally:
        server.close()
        server._thread.join(10.0)


def a_part(server: VisionServer, slot: int, outcome: Outcome, reason: Reason | None = None) -> None:
    """Ordered, ordered again, done, and done again."""
    order = Disposition(slot=slot, outcome=outcome, reason=reason, due_count=None, area_mm2=4.5)
    gate = Gate.RELEASED if outcome is Outcome.PASS else Gate.REJECTED
    done = Actuated(slot=slot, outcome=outcome, gate=gate, at_count=slot, late_ms=0.0)
    for news in (order, order, done, done):
        server.tell(news)


def test_each_part_is_told_once_and_a_held_line_is_in_error() -> None:
    async def visit(server: VisionServer, port: int) -> None:
        async with visiting(port) as visitor:
            inner = await visitor.inner()
            assert (await visitor.state(visitor.outer), await visitor.state(inner)) == (
                "Preoperational",
                "BadStateNotActive",
            )
            await visitor.listen("ResultReadyEventType")
            server.tell(Go(frames=None))
            a_part(server, 1, Outcome.PASS)
            a_part(server, 2, Outcome.NOT_INSPECTED, Reason.FROZEN)
            first, second = await visitor.until(2)
            await asyncio.sleep(0.2)
            assert (await visitor.state(visitor.outer), await visitor.state(inner)) == (
                "Operational",
                "ContinuousExecution",
            )
            server.tell(Hold(reason="frozen"))
            await visitor.until_state(visitor.outer, "Error")
            assert await visitor.call(visitor.outer, "Reset") == 0
            assert await visitor.state(visitor.outer) == "Error"  # a person at the line ends a hold

        assert [event.PartId for event in (first, second)] == ["1", "2"]
        assert [event.JobId for event in (first, second)] == [first.JobId] * 2
        assert (first.IsPartial, first.IsSimulated, first.ResultState, len(first.InternalRecipeId)) == (
            False,
            True,
            1,
            64,
        )
        assert [part.Value for part in first.ResultContent] == ["PASS", "", 4.5, "released"]
        assert [part.Value for part in second.ResultContent] == ["NOT_INSPECTED", "frozen", 4.5, "rejected"]
        assert len(visitor.heard) == 2

    with a_server() as (server, port):
        asyncio.run(visit(server, port))


def test_a_client_opens_and_closes_jobs_and_is_refused_what_the_line_does_not_offer() -> None:
    async def visit(server: VisionServer, port: int) -> None:
        async with visiting(port) as visitor:
            inner = await visitor.inner()
            none = ("m1", "p1", "", "rail", no_parameters())
            await visitor.listen("ResultReadyEventType", "StateChangedEventType")
            assert await visitor.call(visitor.outer, "SelectModeAutomatic") == "BadInvalidState"
            server.tell(Go(frames=None))
            await visitor.until_state(inner, "ContinuousExecution")
            assert await visitor.call(visitor.outer, "Halt") == "BadNotSupported"
            assert await visitor.call(inner, "StartSingleJob", *none) == "BadInvalidState"
            assert await visitor.call(inner, "Stop") == 0
            a_part(server, 1, Outcome.PASS)  # in no job
            assert await visitor.call(inner, "StartSingleJob", "m1") == "BadInvalidArgument"
            wrong_recipe = ("m1", "p1", "another", "rail", no_parameters())
            assert await visitor.call(inner, "StartSingleJob", *wrong_recipe) == "BadInvalidArgument"
            job, error = await visitor.call(inner, "StartSingleJob", *none)
            a_part(server, 2, Outcome.REJECT)
            await visitor.until_state(inner, "Ready")
            assert await visitor.call(visitor.outer, "Reset") == 0
            assert await visitor.call(visitor.outer, "SelectModeAutomatic") == 0
            await visitor.until_state(inner, "Ready")
            await visitor.until(10)

        results = [event for event in visitor.heard if hasattr(event, "ResultId") and event.ResultId]
        moves = [event.Transition.Text for event in visitor.heard if event not in results]
        assert error == 0
        assert [(event.JobId, event.MeasId, event.PartId, event.ProductId) for event in results] == [
            (job, "m1", "p1", "rail")
        ]
        assert moves == [
            "PreoperationalToInitializedAuto",
            "InitializedToReadyAuto",
            "ReadyToContinuousExecutionAuto",
            "ContinuousExecutionToReadyStop",
            "ReadyToSingleExecution",
            "SingleExecutionToReadyAuto",
            "OperationalToPreoperational",
            "PreoperationalToInitialized",
            "InitializedToReadyAuto",
        ]

    with a_server() as (server, port):
        asyncio.run(visit(server, port))


def test_i7_what_nobody_takes_is_dropped_counted_and_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Actuation never waits for it, though the server cannot even listen."""
    monkeypatch.setattr(vision, "WAITING_MOST", 10)

    async def visit(port: int) -> None:
        async with visiting(port) as visitor:  # the first news, Go, was kept
            await visitor.until_state(visitor.outer, "Operational")

    taken = socket.create_server(("127.0.0.1", 0))
    with capture_logs() as logs, taken, a_server(port=taken.getsockname()[1]) as (server, port):
        begun_s = time.monotonic()
        server.tell(Go(frames=None))
        for slot in range(1000):
            a_part(server, slot, Outcome.PASS)
        took_s = time.monotonic() - begun_s
        waiting = len(server._news)
        while not any(line["event"] == "vision.no_port" for line in logs):
            time.sleep(0.05)
        taken.close()
        asyncio.run(visit(port))

    assert took_s < 1.0
    assert waiting == 10
    assert [line["news"] for line in logs if line["event"] == "vision.dropped"] == [4001 - 10]


def test_without_its_bound_the_queue_would_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vision, "WAITING_MOST", 10**9)
    with socket.create_server(("127.0.0.1", 0)) as taken, a_server(port=taken.getsockname()[1]) as (server, _):
        for slot in range(100):
            a_part(server, slot, Outcome.PASS)
        assert len(server._news) == 400


def comes_in(folder: Path, *, key: str) -> str:
    """What becomes of a client with these keys, at a server that knows the line's alone."""
    write_keys(folder)
    ours = Certificates(
        certificate=str(folder / "server.der"),
        private_key=str(folder / "server.pem"),
        peer=str(folder / "line.der"),
    )

    async def visit(port: int) -> str:
        client = Client(f"opc.tcp://127.0.0.1:{port}", timeout=5.0)
        client.application_uri = CLIENT_URI
        for _ in range(200):
            try:
                await client.set_security(
                    SecurityPolicyBasic256Sha256,
                    certificate=folder / f"{key}.der",
                    private_key=folder / f"{key}.pem",
                    server_certificate=str(folder / "server.der"),
                )
                await client.connect()
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
            except ua.UaStatusCodeError as error:
                return type(error).__name__
            else:
                await client.disconnect()
                return "in"
        return "nobody there"

    with a_server(certificates=ours) as (_, port):
        return asyncio.run(visit(port))


@pytest.mark.parametrize(("key", "came"), [("line", "in"), ("other", "BadUserAccessDenied")])
def test_i11_with_certificates_only_the_one_client_comes_in(tmp_path: Path, key: str, came: str) -> None:
    assert comes_in(tmp_path, key=key) == came


def test_i11_without_its_doorkeeper_any_certificate_would_come_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Doorkeeper, "__init__", lambda _keeper, _login, _peer: None)
    monkeypatch.setattr(_Doorkeeper, "_peer", None, raising=False)
    monkeypatch.setattr(_Doorkeeper, "_password", None, raising=False)

    assert comes_in(tmp_path, key="other") == "in"
