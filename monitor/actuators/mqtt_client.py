"""One connection to an MQTT broker, every wait of it bounded; opened anew after each loss, with nothing kept.

Both paho-mqtt 1.6 and 2 are spoken: callbacks take what either gives. The client's own reconnecting is off, as it
would send again what was said before the loss; here whoever speaks decides what is still true.
"""

import contextlib
import math
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.brokers import Broker, SecretError, read_credentials
from config.loader import ConfigError, package_path

try:
    from paho.mqtt import client as paho
except ModuleNotFoundError as error:
    raise ConfigError("MQTT needs the extra `mqtt`: python -m pip install 'line-monitor[mqtt]'") from error

CONFIRMED_KEPT = 256
GOODBYE_S = 0.3
REFUSED = 0x80  # of a subscription, and above


class BrokerLost(ConnectionError):
    """There is no broker, or it does not answer in time, or it lets us not in."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """A message on its way to the broker."""

    topic: str
    payload: bytes
    retained: bool = False
    qos: int = 1


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A message from the broker; `retained`: it was said before we listened, who knows when."""

    topic: str
    payload: bytes
    retained: bool


class Connection:
    """`hears` is called in a thread of the client's; it must not block, and not raise."""

    def __init__(
        self, broker: Broker, *, client_id: str, topics: Sequence[str], hears: Callable[[Heard], None], timeout_s: float
    ) -> None:
        self._broker, self._client_id, self._topics = broker, client_id, tuple(topics)
        self._hears, self._timeout_s = hears, timeout_s
        self.changed = (
            threading.Condition()
        )  # notified of a loss, too: who waits for what `hears` brings, waits with it
        self._client: Any = None
        self._up = False
        self._lost = "not opened yet"
        self._confirmed: deque[int] = deque(maxlen=CONFIRMED_KEPT)

    @property
    def place(self) -> str:
        return f"mqtt {self._broker.host}:{self._broker.port}"

    @property
    def lost(self) -> str:
        """Why nothing can be said; empty while the broker is there."""
        return self._lost

    def open(self, will: Said) -> None:
        """Connects, leaves the will and subscribes; BrokerLost where that takes longer than the timeout."""
        self.close()
        client = _new_client(self._client_id)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_subscribe, client.on_publish, client.on_message = (
            self._on_subscribe,
            self._on_publish,
            self._on_message,
        )
        client.will_set(will.topic, will.payload, qos=will.qos, retain=will.retained)
        client._connect_timeout = self._timeout_s  # paho 1.6 has no public name for it
        try:
            if self._broker.credentials:
                client.username_pw_set(*read_credentials(package_path(self._broker.credentials)))
            if self._broker.ca:
                client.tls_set_context(_context(package_path(self._broker.ca)))
            with self.changed:
                self._client, self._up, self._lost = client, False, ""
                self._confirmed.clear()
            # by the keepalive the client bounds its TLS handshake, and the broker how long a silent client lives
            client.connect(self._broker.host, self._broker.port, keepalive=max(2, math.ceil(4 * self._timeout_s)))
        except (OSError, ValueError, SecretError) as error:
            self._let_go(f"{self.place}: {error}")
            raise BrokerLost(self._lost) from error
        client.loop_start()
        with self.changed:
            self.changed.wait_for(lambda: self._up or self._lost, self._timeout_s)
            why = self._lost or f"{self.place}: the broker did not let us in within {self._timeout_s:g} s"
            if self._up and not self._lost:
                return
        self._let_go(why)
        raise BrokerLost(why)

    def say(self, *said: Said) -> None:
        """Publishes; with QoS 1 it returns when the broker has confirmed all, or raises BrokerLost."""
        client = self._client
        if self._lost or client is None:
            raise BrokerLost(self._lost)
        sent = [client.publish(each.topic, each.payload, qos=each.qos, retain=each.retained) for each in said]
        waited = {info.mid for info, each in zip(sent, said, strict=True) if each.qos}
        until_s = time.monotonic() + self._timeout_s
        with self.changed:
            while not waited <= set(self._confirmed):
                if self.lost or not self.changed.wait(max(0.0, until_s - time.monotonic())):
                    raise BrokerLost(self.lost or f"{self.place}: no confirmation within {self._timeout_s:g} s")

    def close(self) -> None:
        """Says goodbye, so that the broker keeps the will to itself; never raises."""
        self._let_go("closed")

    def _let_go(self, why: str) -> None:
        with self.changed:
            client, self._client = self._client, None
            was_up = self._up and not self._lost
            self._up, self._lost = False, why
        if client is None:
            return
        if was_up:
            gone = threading.Event()
            client.on_disconnect = lambda *_: gone.set()  # is_connected() is false before the goodbye has left
            client.disconnect()
            gone.wait(GOODBYE_S)
        held = client.socket()
        if held is not None:  # a goodbye that nobody takes must not keep the client's thread
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
        client.loop_stop()

    def _on_connect(self, client: Any, _userdata: object, _flags: object, code: Any, *_rest: object) -> None:
        if code != 0:
            self._fails(client, f"the broker refused: {paho.connack_string(code) if isinstance(code, int) else code}")
        elif self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self._comes_up(client)

    def _on_subscribe(self, client: Any, _userdata: object, _mid: int, granted: Any, *_rest: object) -> None:
        codes = [int(getattr(code, "value", code)) for code in granted]
        if any(code >= REFUSED for code in codes):
            self._fails(client, f"the broker refused a subscription of {list(self._topics)}: {codes}")
        else:
            self._comes_up(client)

    def _on_publish(self, client: Any, _userdata: object, mid: int, *_rest: object) -> None:
        with self.changed:
            if client is self._client:
                self._confirmed.append(mid)
                self.changed.notify_all()

    def _on_message(self, client: Any, _userdata: object, message: Any) -> None:
        if client is self._client:
            self._hears(Heard(topic=message.topic, payload=message.payload, retained=bool(message.retain)))

    def _on_disconnect(self, client: Any, _userdata: object, *rest: object) -> None:
        self._fails(client, f"the connection is lost ({', '.join(map(str, rest))})")

    def _comes_up(self, client: Any) -> None:
        with self.changed:
            if client is self._client:
                self._up = True
                self.changed.notify_all()

    def _fails(self, client: Any, why: str) -> None:
        with self.changed:
            if client is self._client and not self._lost:
                self._lost = f"{self.place}: {why}"
                self.changed.notify_all()


class _OwnSocket(ssl.SSLSocket):
    """Closes itself where the other side cannot prove who it is: the client lets go of it without."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _context(ca: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca))
    context.sslsocket_class = _OwnSocket
    return context


def _new_client(client_id: str) -> Any:
    """A clean session: what a broker kept for us while we were away is not true any more."""
    if hasattr(paho, "CallbackAPIVersion"):  # paho 2
        return paho.Client(paho.CallbackAPIVersion.VERSION2, client_id, clean_session=True, reconnect_on_failure=False)
    return paho.Client(client_id, clean_session=True, reconnect_on_failure=False)
