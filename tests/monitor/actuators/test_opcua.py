"""The tags on the wire, with a plain server and client of asyncua on the other side; who may speak, and who not."""

import asyncio
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from asyncua import Client, ua

import monitor.actuators.opcua
from benchmarks.gate import free_port, simulated_plc
from config.remote import Login
from monitor.actuators import tags
from monitor.actuators.opcua import OpcUaWire
from monitor.actuators.plc import WireError
from monitor.messages import Gate, Outcome
from monitor.rules.handshake import ACTED_KEPT, Acted, Mailbox, PlcStatus, Result
from tests.monitor.actuators.opcua_servers import PASSWORD, PlainServer, a_wire, certificates, opened, write_keys
from tests.monitor.actuators.test_modbus import LINE, STATUS


@pytest.fixture(scope="module")
def plc() -> Iterator[PlainServer]:
    server = PlainServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    write_keys(folder)
    return folder


@pytest.fixture(scope="module")
def guarded(keys: Path) -> Iterator[PlainServer]:
    server = PlainServer(keys=keys, users=True)
    yield server
    server.close()


def met(wire: OpcUaWire) -> PlcStatus:
    wire.open()
    return wire.status()


def test_the_plcs_tags_are_read_where_the_table_says(plc: PlainServer) -> None:
    plc.put(tags.plc_values(STATUS))

    with opened(plc.port) as wire:
        assert wire.status() == STATUS


def test_another_map_is_refused_by_name(plc: PlainServer) -> None:
    plc.put(tags.plc_values(STATUS) | {"PlcMapVersion": 7})

    with opened(plc.port) as wire, pytest.raises(WireError, match="PlcMapVersion is 7, not 1"):
        wire.status()


def test_row_54_two_sessions_counters_are_never_mixed(plc: PlainServer) -> None:
    plc.put(tags.plc_values(STATUS))
    seen: list[int] = []

    def another(_node: ua.NodeId, _attribute: ua.AttributeIds) -> ua.DataValue:
        seen.append(len(seen) + 1)  # the PLC starts again between the first tag and the last
        return ua.DataValue(ua.Variant(seen[-1], ua.VariantType.UInt16))

    plc.server.set_attribute_value_callback(plc.nodes["PlcSession"], another)
    try:
        with opened(plc.port) as wire, pytest.raises(WireError, match="session became 2 while it was read"):
            wire.status()
    finally:
        plc.put(tags.plc_values(STATUS))  # a value takes the callback's place


def test_what_met_the_gate_is_read_round_the_rings_end(plc: PlainServer) -> None:
    entries = [
        Acted(n=n, slot=500 + n, ordered=Outcome.PASS, gate=Gate.RELEASED, seen=True, at_count=-n, late_ms=0.0)
        for n in range(ACTED_KEPT - 2, ACTED_KEPT + 4)
    ]
    plc.put(tags.acted_values(entries))

    with opened(plc.port) as wire:
        assert wire.acted(range(entries[0].n, entries[-1].n + 1)) == entries
        with pytest.raises(WireError, match=rf"ActedN\[4\] is 0, not {ACTED_KEPT + 5}"):
            wire.acted(range(ACTED_KEPT + 5, ACTED_KEPT + 6))


def test_a_batch_is_written_whole_and_a_heartbeat_leaves_it_alone(plc: PlainServer) -> None:
    results = tuple(Result(slot=70_000 + n, outcome=Outcome.NOT_INSPECTED, reason_code=13) for n in range(24))
    with opened(plc.port) as wire:
        wire.write(LINE, Mailbox(batch=3, results=results))
        wire.write(LINE, None)
    values = plc.get()

    assert tags.read_line(values) == LINE
    assert tags.read_mailbox(values) == Mailbox(batch=3, results=results)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        pytest.param({"namespace": "urn:nobody"}, "has no namespace 'urn:nobody'; there are", id="namespace"),
        pytest.param({"node": "Lane.{tag}"}, "ns=2;s=Lane.PlcMapVersion: BadNodeIdUnknown", id="node"),
    ],
)
def test_what_is_not_there_is_named(plc: PlainServer, facts: dict[str, str], said: str) -> None:
    wire = a_wire(plc.port, **facts)

    with pytest.raises(WireError, match=said):
        met(wire)
    wire.close()


def test_a_tag_of_another_type_is_named(plc: PlainServer) -> None:
    plc.put(tags.plc_values(STATUS))
    for value, said in (
        (ua.Variant(1, ua.VariantType.Int16), "PlcHeartbeat: is Int16; PlcHeartbeat must be UInt16"),
        (ua.Variant([1, 2], ua.VariantType.UInt16), "PlcHeartbeat: must be one UInt16"),
    ):
        aspace = plc.server.iserver.aspace
        aspace[plc.nodes["PlcHeartbeat"]].attributes[ua.AttributeIds.Value].value = ua.DataValue(value)
        with opened(plc.port) as wire, pytest.raises(WireError, match=said):
            wire.status()
    aspace[plc.nodes["PlcHeartbeat"]].attributes[ua.AttributeIds.Value].value = ua.DataValue(
        ua.Variant(1, ua.VariantType.UInt16)
    )


def test_a_server_that_refuses_a_write_is_an_error_that_names_the_tag(plc: PlainServer) -> None:
    async def writable(may: bool) -> None:
        await plc.server.get_node(plc.nodes["LineLastSlot"]).set_writable(may)

    plc.run(writable(False))
    try:
        with opened(plc.port) as wire, pytest.raises(WireError, match=r"LineLastSlot: the PLC refused the write"):
            wire.write(LINE, None)
    finally:
        plc.run(writable(True))


def test_nobody_there_is_an_error_within_the_time() -> None:
    wire = a_wire(free_port(), timeout_ms=300.0)

    with pytest.raises(WireError, match=r"opcua opc.tcp://127\.0\.0\.1"):
        wire.open()
    wire.close()


def test_row_51_one_who_listens_and_never_answers_is_an_error_within_the_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        wire = a_wire(deaf.getsockname()[1], timeout_ms=300.0)
        begun_s = time.monotonic()
        with pytest.raises(WireError, match="no answer within 300 ms"):
            wire.open()
        wire.close()

    assert time.monotonic() - begun_s < 3.0


def test_with_certificates_what_is_said_is_signed_and_encrypted(guarded: PlainServer, keys: Path) -> None:
    (keys / "password").write_text(PASSWORD + "\n")
    (keys / "password").chmod(0o600)
    login = Login(user="line", password_file=str(keys / "password"))
    guarded.put(tags.plc_values(STATUS))

    with opened(guarded.port, certificates=certificates(keys), login=login) as wire:
        assert wire.status() == STATUS
        assert wire._client is not None
        assert wire._client.security_policy.Mode is ua.MessageSecurityMode.SignAndEncrypt


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param("peer", "no answer within|onnection", id="peer"),
        pytest.param("password", "BadUserAccessDenied|denied", id="password"),
        pytest.param("nothing", "No matching endpoints|BadSecurityPolicyRejected", id="nothing"),
    ],
)
def test_i11_who_cannot_prove_who_he_is_is_not_spoken_to(
    guarded: PlainServer, keys: Path, wrong: str, said: str
) -> None:
    (keys / "wrong").write_text("let me out" if wrong == "password" else PASSWORD)
    (keys / "wrong").chmod(0o600)
    facts = {
        "certificates": certificates(keys, peer="other" if wrong == "peer" else "server"),
        "login": Login(user="line", password_file=str(keys / "wrong")),
    }
    wire = a_wire(guarded.port, **({} if wrong == "nothing" else facts))

    with pytest.raises(WireError, match=said):
        wire.open()
    wire.close()


@pytest.mark.parametrize("leaves", [pytest.param(True, id="guarded"), pytest.param(False, id="guard-taken-out")])
def test_i11_a_password_never_leaves_this_host_in_the_clear(
    plc: PlainServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaves: bool
) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "password").chmod(0o600)
    monkeypatch.setattr(monitor.actuators.opcua, "leaves_host", lambda _host: leaves)
    wire = a_wire(plc.port, login=Login(user="line", password_file=str(tmp_path / "password")))

    if leaves:
        with pytest.raises(WireError, match="takes passwords in the clear only"):
            wire.open()
    else:
        wire.open()
    wire.close()


def test_i11_a_secret_that_others_may_read_is_not_used(guarded: PlainServer, keys: Path) -> None:
    (keys / "open").write_text(PASSWORD)
    (keys / "open").chmod(0o644)
    wire = a_wire(guarded.port, login=Login(user="line", password_file=str(keys / "open")))

    with pytest.raises(WireError, match="mode 0644 lets others in"):
        wire.open()
    wire.close()


def test_a_plain_client_follows_the_table_and_may_not_write_the_plcs_tags(tmp_path: Path) -> None:
    """A mailbox that is half written is left alone; the next write of it is whole."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)
    words = tags.mailbox_words(Mailbox(batch=5, results=(Result(slot=1, outcome=Outcome.PASS, reason_code=0),)))

    async def visit(url: str) -> tuple[list[str], list[int]]:
        acks = []
        refused = []
        async with Client(url) as client:
            index = await client.get_namespace_index("urn:line-monitor:plc")

            def node(tag: str) -> ua.NodeId:
                return ua.NodeId(ua.String(f"Line.{tag}"), ua.Int16(index))

            try:
                await client.get_node(node("PlcResultAck")).write_value(ua.Variant(5, ua.VariantType.UInt16))
            except ua.UaStatusCodeError as error:
                refused.append(type(error).__name__)
            for written in ([*words[:-1], 4], words):
                await client.get_node(node("LineMailbox")).write_value(ua.Variant(written, ua.VariantType.UInt32))
                acks.append(await client.get_node(node("PlcResultAck")).read_value())
        return refused, acks

    with simulated_plc("opcua", tmp_path, port=free_port(), rate=10.0, parts=3) as plc:
        refused, acks = asyncio.run(visit(f"opc.tcp://127.0.0.1:{plc.port}"))

    assert refused == ["BadUserAccessDenied"]
    assert acks == [0, 5]
