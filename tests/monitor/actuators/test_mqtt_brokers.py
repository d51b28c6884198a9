"""Which brokers let whom in: both kinds serve the handshake, TLS and passwords count, and no extra is no riddle."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.brokers import BROKERS, Secured, a_broker
from benchmarks.gate import ROOT, free_port
from config.actuators import MqttActuator
from monitor.actuators.mqtt import MqttWire
from monitor.actuators.plc import WireError
from tests.monitor.actuators.brokered import STATION, a_plc_at, until
from tests.monitor.actuators.test_mqtt import LINE, _beat


@pytest.mark.parametrize("named", BROKERS)
def test_every_broker_serves(named: str, tmp_path: Path) -> None:
    port = free_port()
    with a_broker(port, named=named), a_plc_at(port, tmp_path, parts=3) as program:
        wire = MqttWire(MqttActuator(kind="mqtt", host="127.0.0.1", port=port), station=STATION)
        wire.open()
        until(lambda: _beat(wire, LINE) and len(program.acted) == 3, within_s=15.0)
        until(lambda: wire.acted(range(1, 4)) == list(program.acted))
        wire.close()


def test_credentials_that_someone_opened_to_all_end_in_an_error_of_the_wire(tmp_path: Path) -> None:
    """The thread of the handshake lives on, and tries again."""
    secret = tmp_path / "credentials"
    secret.write_text("line\npassword\n")
    secret.chmod(0o644)
    facts = MqttActuator(kind="mqtt", host="127.0.0.1", port=free_port(), credentials=str(secret))

    with pytest.raises(WireError, match="has mode 0644, and must be 0600"):
        MqttWire(facts, station=STATION).open()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA with a certificate for localhost, and another CA that knows nothing of it."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "other"):
        subject = ["-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE"]
        _openssl("req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2", *subject, *_pair(folder, name))
    request = str(folder / "request.pem")
    _openssl("req", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=localhost", *_pair(folder, "key", out=request))
    extension = folder / "extension"
    extension.write_text("subjectAltName=DNS:localhost\n")
    signed = ["-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key"), "-CAcreateserial", "-days", "2"]
    _openssl("x509", "-req", "-in", request, *signed, "-extfile", str(extension), "-out", str(folder / "cert.pem"))
    return folder


@pytest.fixture(scope="module", params=BROKERS)
def tls_port(certificates: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    """Of a broker that asks for TLS and a password."""
    port = free_port()
    pair = {"certificate": certificates / "cert.pem", "key": certificates / "key.key"}
    with a_broker(port, named=request.param, secured=Secured(**pair, user="line", password="password")):
        yield port


@pytest.mark.parametrize(
    ("host", "ca", "password", "why"),
    [
        pytest.param("localhost", "ca", "password", "", id="right"),
        pytest.param("localhost", "ca", "wrong", "(?i)the broker refused.*not authori[sz]ed", id="wrong-password"),
        pytest.param("localhost", "other", "password", "certificate verify failed", id="another-ca"),
        pytest.param(
            "127.0.0.1", "ca", "password", "certificate verify failed.*IP address mismatch", id="another-host"
        ),
        pytest.param("localhost", "", "password", "lost|refused|let us in", id="in-the-clear"),
    ],
)
def test_a_broker_is_proven_and_so_is_the_line(
    tls_port: int, certificates: Path, tmp_path: Path, host: str, ca: str, password: str, why: str
) -> None:
    """I11."""
    credentials = tmp_path / "credentials"
    credentials.write_text(f"line\n{password}\n")
    credentials.chmod(0o600)
    facts = MqttActuator(
        kind="mqtt",
        host=host,
        port=tls_port,
        credentials=str(credentials),
        ca=str(certificates / f"{ca}.pem") if ca else "",
        timeout_ms=2000.0,
    )
    wire = MqttWire(facts, station=STATION)
    if why:
        with pytest.raises(WireError, match=why):
            wire.open()
    else:
        wire.open()
    wire.close()


@pytest.mark.parametrize(
    ("library", "module"), [("paho", "monitor.actuators.mqtt"), ("google", "monitor.actuators.sparkplug")]
)
def test_without_the_extra_it_is_named_and_the_start_is_refused(library: str, module: str) -> None:
    """monitor/child.py exits 78 on a ConfigError."""
    ends = f"import sys; sys.modules[{library!r}] = None\nfrom importlib import import_module\n"
    ends += f"try:\n    import_module({module!r})\nexcept Exception as error:\n    print(type(error).__name__, error)"

    said = subprocess.run([sys.executable, "-c", ends], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert said.startswith("ConfigError ")
    assert "pip install 'line-monitor[mqtt]'" in said
    assert len(said.splitlines()) == 1


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def _pair(folder: Path, name: str, out: str = "") -> list[str]:
    return ["-keyout", str(folder / f"{name}.key"), "-out", out or str(folder / f"{name}.pem")]
