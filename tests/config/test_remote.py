"""What leaves this host proves who it is, its secrets are nobody else's to read, and a missing extra is named."""

import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import run_line
from config import remote
from config.loader import STATIONS, ConfigError, parse_station
from config.remote import SecretError, leaves_host, read_secret

RAIL = tomllib.loads((STATIONS / "rail-03.toml").read_text())
PLC = {"kind": "opcua", "namespace": "urn:plc"}


def station(url: str, **given: Any) -> Any:
    return parse_station(RAIL | {"actuator": PLC | {"url": url} | given}, at="rail-03")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.0.1"])
def test_on_this_host_nothing_need_be_proved(host: str) -> None:
    assert station(f"opc.tcp://{host}:4840").actuator.kind == "opcua"


@pytest.mark.parametrize("host", ["10.0.0.7", "plc-3", "localhost.example.org", "[fe80::1]", "0.0.0.0"])
def test_i11_what_leaves_this_host_without_login_or_certificates_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match=r"rail-03.actuator.login: is missing, as is \[certificates\], but '"):
        station(f"opc.tcp://{host}:4840")


def test_a_loader_that_took_every_host_for_this_one_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "leaves_host", lambda _host: False)

    assert station("opc.tcp://10.0.0.7:4840").actuator.host == "10.0.0.7"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.4", "rail-03.example.org"])
@pytest.mark.parametrize("logs_in", [pytest.param(True, id="login"), pytest.param(False, id="nothing")])
def test_i11_a_server_that_others_can_reach_has_certificates(tmp_path: Path, host: str, logs_in: bool) -> None:
    """A password alone would come to it in the clear."""
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o600)
    login = {"login": {"user": "plc", "password_file": str(tmp_path / "password")}} if logs_in else {}

    with pytest.raises(ConfigError, match=r"rail-03.opcua_server.(login|certificates): is missing"):
        parse_station(RAIL | {"opcua_server": {"host": host} | login}, at="rail-03")
    assert parse_station(RAIL | {"opcua_server": login}, at="rail-03").opcua_server is not None


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_i11_a_password_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    secret = tmp_path / "password"
    secret.write_text("secret")
    login = {"user": "line", "password_file": str(secret)}
    secret.chmod(mode)

    with pytest.raises(ConfigError, match=rf"actuator.login.password_file: .*mode {mode:04o} lets others in"):
        station("opc.tcp://10.0.0.7:4840", login=login)
    secret.chmod(0o600)
    assert station("opc.tcp://10.0.0.7:4840", login=login).actuator.login.user == "line"


def test_keys_that_are_not_there_are_each_named(tmp_path: Path) -> None:
    given = {name: str(tmp_path / name) for name in ("certificate", "private_key", "peer")}

    with pytest.raises(ConfigError) as refused:
        station("opc.tcp://10.0.0.7:4840", certificates=given)

    said = str(refused.value).splitlines()
    assert [line.split(":")[0].rpartition(".")[2] for line in said] == ["private_key", "certificate", "peer"]


@pytest.mark.parametrize(
    "url", ["opc.tcp://user:word@10.0.0.7:4840", "http://10.0.0.7", "opc.tcp://", "opc.tcp://a b:1", "10.0.0.7:4840"]
)
def test_a_url_is_opc_tcp_and_carries_no_secret(url: str) -> None:
    with pytest.raises(ConfigError, match=r"rail-03.actuator.url: "):
        station(url)


@pytest.mark.parametrize("node", ["Line", "{tag}{tag}", "{0}", "Line.{tag.__class__}"])
def test_a_nodes_id_names_its_tag_once_and_nothing_else(node: str) -> None:
    with pytest.raises(ConfigError, match=r"rail-03.actuator.node: "):
        station("opc.tcp://127.0.0.1", node=node)


def test_a_secret_is_neither_empty_nor_a_book(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    for size in (0, remote.SECRET_BYTES + 1):
        secret.write_bytes(b"x" * size)
        secret.chmod(0o600)
        with pytest.raises(SecretError, match=f"{size} bytes"):
            read_secret(secret)


def test_a_name_may_be_anyones() -> None:
    assert leaves_host("loopback.example.org")
    assert not leaves_host("::1")


@pytest.mark.parametrize(
    ("actuator", "package"),
    [
        pytest.param('kind = "opcua"\nurl = "opc.tcp://127.0.0.1"\nnamespace = "urn:plc"', "asyncua", id="opcua"),
        pytest.param('kind = "modbus"\nhost = "127.0.0.1"', "pymodbus", id="modbus"),
        pytest.param('kind = "mqtt"\nhost = "127.0.0.1"', "paho", id="mqtt"),
    ],
)
def test_a_missing_extra_is_one_line_that_names_it(
    actuator: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = (STATIONS / "rail-03.toml").read_text()
    file = tmp_path / "plc.toml"
    file.write_text(table.replace('[actuator]\nkind = "twin"', f"[actuator]\n{actuator}"))
    monkeypatch.setitem(sys.modules, package, None)  # as where it is not installed

    with pytest.raises(SystemExit) as ended:
        run_line.load_or_refuse(str(file))

    extra = actuator.split('"')[1]
    assert ended.value.code == 78
    assert capsys.readouterr().err == (
        f"rail-03.actuator.kind: '{extra}' needs {package}, which is not installed: "
        f"pip install 'line-monitor[{extra}]'\n"
    )
