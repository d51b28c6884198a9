"""What leaves this host is proven and enciphered, secrets are their owner's alone, and no web server is a gate."""

import copy
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

import config.brokers
import config.loader
import config.onlookers
from config.actuators import LogActuator, TwinActuator
from config.brokers import SecretError, is_this_host, read_credentials
from config.loader import STATIONS, ConfigError, parse_station
from config.onlookers import Webhook
from config.station import Station

RAIL = tomllib.loads((STATIONS / "rail-03.toml").read_text())


class WebhookGate(Webhook):
    """What there is not."""

    kind: Literal["webhook"]


class AnyGate(Station):
    """The guard taken out: a web server is a kind of actuator."""

    actuator: Annotated[LogActuator | TwinActuator | WebhookGate, Field(discriminator="kind")]  # type: ignore[assignment]


def a_secret(folder: Path, text: str = "line\npassword\n", mode: int = 0o600) -> str:
    path = folder / "secret"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def a_station(**tables: Any) -> dict[str, Any]:
    return copy.deepcopy(RAIL) | tables


def complaint(table: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as refused:
        parse_station(table, at="mine")
    return str(refused.value)


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("192.168.0.7", False),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
        ("broker", False),
    ],
)
def test_only_loopback_is_this_host(host: str, is_ours: bool) -> None:
    assert is_this_host(host) is is_ours


@pytest.mark.parametrize("table", ["actuator", "sparkplug"])
def test_a_broker_off_this_host_needs_credentials_and_tls(table: str, tmp_path: Path) -> None:
    """I11."""
    broker: dict[str, Any] = {"host": "broker.works.example"}
    broker |= {"kind": "mqtt"} if table == "actuator" else {"group_id": "works", "edge_node": "rail-03"}
    ca = tmp_path / "ca.pem"
    ca.write_text("")

    said = complaint(a_station(**{table: broker}))
    assert f"mine.{table}.credentials: is missing, but the broker broker.works.example is not on this host" in said
    assert f"mine.{table}.ca: is missing" in said
    assert "ca: is missing" in complaint(a_station(**{table: broker | {"credentials": a_secret(tmp_path)}}))
    parse_station(a_station(**{table: broker | {"credentials": a_secret(tmp_path), "ca": str(ca)}}), at="mine")
    parse_station(a_station(**{table: broker | {"host": "127.0.0.1"}}), at="mine")


def test_a_loader_that_takes_every_host_for_its_own_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (config.brokers, config.onlookers):
        monkeypatch.setattr(module, "is_this_host", lambda _: True)

    parse_station(a_station(actuator={"kind": "mqtt", "host": "broker.works.example"}), at="mine")
    parse_station(a_station(notify=[{"url": "http://dash.works.example/verdicts"}]), at="mine")


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        pytest.param("line\npassword\n", 0o644, "has mode 0644, and must be 0600", id="open-to-all"),
        pytest.param("line\npassword\n", 0o640, "has mode 0640", id="open-to-a-group"),
        pytest.param("line:password\n", 0o600, "has 1 lines; it must have two", id="one-line"),
        pytest.param("line\n\n", 0o600, "it must have two", id="no-password"),
        pytest.param("x" * 5000, 0o600, "more than 4096 bytes", id="too-long"),
    ],
)
def test_credentials_are_their_owners_alone(text: str, mode: int, why: str, tmp_path: Path) -> None:
    secret = a_secret(tmp_path, text, mode)

    assert why in complaint(a_station(actuator={"kind": "mqtt", "host": "127.0.0.1", "credentials": secret}))


def test_credentials_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"nowhere: cannot be read: No such file"):
        read_credentials(tmp_path / "nowhere")
    with pytest.raises(SecretError, match="cannot be read: Is a directory"):
        read_credentials(tmp_path)


def test_credentials_are_two_lines(tmp_path: Path) -> None:
    assert read_credentials(Path(a_secret(tmp_path))) == ("line", "password")


def test_an_mqtt_gate_needs_a_belt() -> None:
    table = a_station(actuator={"kind": "mqtt", "host": "127.0.0.1"})
    del table["belt"]

    assert "mine.belt: is missing, but a PLC's gate stands beside one" in complaint(table)


@pytest.mark.parametrize("prefix", ["", "/line", "line/", "line/+", "#", "li ne"])
def test_a_prefix_with_wildcards_or_empty_levels_is_refused(prefix: str) -> None:
    said = complaint(a_station(actuator={"kind": "mqtt", "host": "127.0.0.1", "prefix": prefix}))

    assert "mine.actuator.prefix" in said


@pytest.mark.parametrize("belt", [True, False])
def test_a_web_server_is_no_gate(belt: bool) -> None:
    """I2: what answers late or never cannot hold a part back."""
    table = a_station(actuator={"kind": "webhook", "url": "https://example.org"})
    if not belt:
        del table["belt"]

    said = complaint(table)

    assert "mine.actuator.kind: 'webhook' is not one of ['log', " in said
    assert "holds no part back" in said
    assert "[[notify]]" in said


def test_with_webhooks_among_the_actuators_a_station_would_release_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config.loader, "Station", AnyGate)

    station = parse_station(a_station(actuator={"kind": "webhook", "url": "http://127.0.0.1/"}), at="mine")

    assert station.actuator.kind == "webhook"  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    ("webhook", "why"),
    [
        pytest.param({"url": "ftp://127.0.0.1/"}, "notify[0].url", id="no-http"),
        pytest.param({"url": "http://127.0.0.1/ü"}, "notify[0].url: 'http://127.0.0.1/ü'", id="no-ascii"),
        pytest.param({"url": "http://127.0.0.1:99999/"}, "notify[0].url: 'http://127.0.0.1:99999/'", id="no-port"),
        pytest.param({"url": "http://me:word@127.0.0.1/"}, "proven by `secret`", id="password-in-the-url"),
        pytest.param({"url": "http://example.org/"}, "must begin with https://", id="in-the-clear"),
        pytest.param({"url": "https://example.org/"}, "notify[0].secret: is missing", id="unsigned"),
        pytest.param({"url": "http://127.0.0.1/", "secret": "/nowhere"}, "/nowhere: cannot be read", id="no-secret"),
        pytest.param({"url": "http://127.0.0.1/", "ca": "/nowhere"}, "/nowhere: no such file", id="no-ca"),
    ],
)
def test_what_is_wrong_with_a_webhook_is_said(webhook: dict[str, Any], why: str) -> None:
    assert why in complaint(a_station(notify=[webhook]))


def test_a_webhook_beside_a_gate_is_right(tmp_path: Path) -> None:
    """The only kind of webhook there is."""
    near = {"url": "http://127.0.0.1:8080/verdicts"}
    far = {"url": "https://example.org/verdicts", "secret": a_secret(tmp_path, "between us")}

    station = parse_station(a_station(notify=[near, far]), at="mine")

    assert [each.place.hostname for each in station.notify] == ["127.0.0.1", "example.org"]
