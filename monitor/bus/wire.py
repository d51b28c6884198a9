"""The one home of ZeroMQ: typed ends that send and receive messages, and a poller that knows the rope.

Facts where they bite: the default high-water mark is 1,000 messages (a gigabyte of frames), so each end sets its
own; ROUTER drops what it cannot route unless ROUTER_MANDATORY; a second bind of an ipc path takes the path over,
so the station's lock comes before any bind.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Self

import structlog
import zmq

from monitor.bus import codec
from monitor.bus.codec import CodecError, Payload, Pixels
from monitor.lifeline import Lifeline, Order
from monitor.messages import AnyMessage

PIPE_HWM = 4096  # headers; a crop beside a few of them
FRAME_HWM = 64  # leased frames: more than leases there cannot be
VIEW_HWM = 2  # viewers want the newest frame, not the oldest
MESSAGE_BYTES = 1 << 30  # a part larger than this is refused before it is allocated, and its sender cut off

Received = tuple[AnyMessage, dict[str, "Pixels | bytes"]]

_BELLS = count()  # their addresses: a hung thread keeps its bell bound, and the id of an object comes again
log = structlog.get_logger()


class End:
    """One socket; `with` closes it. Sending never blocks: what cannot be sent is reported, and said again later."""

    def __init__(self, kind: int, address: str, *, bind: bool, hwm: int) -> None:
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(kind)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, hwm)
        self._socket.setsockopt(zmq.RCVHWM, hwm)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES)
        self._socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, 200)
        self._address, self._bind = address, bind
        self._prepare()
        if bind:
            self._socket.bind(address)
        else:
            self._socket.connect(address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def socket(self) -> "zmq.Socket[bytes]":
        """For `Ears`."""
        return self._socket

    def close(self) -> None:
        self._socket.close()

    def _prepare(self) -> None:
        """Options that must be set before bind or connect."""

    def _send(self, frames: list[bytes | memoryview]) -> bool:
        try:
            self._socket.send_multipart(frames, flags=zmq.NOBLOCK, copy=len(frames) == 1)
        except (zmq.Again, zmq.error.ZMQError) as error:
            if error.errno not in (zmq.EAGAIN, zmq.EHOSTUNREACH):
                raise
            return False
        return True

    def _receive(self) -> list[bytes] | None:
        try:
            return self._socket.recv_multipart(flags=zmq.NOBLOCK)
        except zmq.Again:
            return None


class Inlet(End):
    """What can be read: messages that do not fit are logged and dropped, and the next is read."""

    def messages(self, most: int = 1024) -> Iterator[Received]:
        """What has come, without waiting."""
        for _ in range(most):
            if (frames := self._receive()) is None:
                return
            try:
                yield codec.decode(frames)
            except CodecError as error:
                log.error("message.refused", address=self._address, error=str(error))


class Puller(Inlet):
    """PULL, bound."""

    def __init__(self, address: str) -> None:
        super().__init__(zmq.PULL, address, bind=True, hwm=PIPE_HWM)


class Pusher(End):
    """PUSH, connected. IMMEDIATE: nothing queues for a peer that is not there."""

    def __init__(self, address: str) -> None:
        super().__init__(zmq.PUSH, address, bind=False, hwm=PIPE_HWM)

    def _prepare(self) -> None:
        self._socket.setsockopt(zmq.IMMEDIATE, 1)

    def send(self, message: AnyMessage, payload: Payload | None = None) -> bool:
        """Whether it is on its way; what was not sent must be said again."""
        return self._send(codec.encode(message, payload))


class Publisher(End):
    """PUB, bound: loss is allowed."""

    def __init__(self, address: str, *, hwm: int = VIEW_HWM) -> None:
        super().__init__(zmq.PUB, address, bind=True, hwm=hwm)

    def send(self, message: AnyMessage, payload: Payload | None = None) -> None:
        self._send(codec.encode(message, payload))


class Subscriber(Inlet):
    """SUB to everything, connected."""

    def __init__(self, address: str, *, hwm: int = VIEW_HWM) -> None:
        super().__init__(zmq.SUB, address, bind=False, hwm=hwm)

    def _prepare(self) -> None:
        self._socket.setsockopt(zmq.SUBSCRIBE, b"")


class Dealer(Inlet):
    """DEALER, connected, with an identity of its own."""

    def __init__(self, address: str, *, identity: str, hwm: int = FRAME_HWM) -> None:
        self._identity = identity.encode()
        super().__init__(zmq.DEALER, address, bind=False, hwm=hwm)

    def _prepare(self) -> None:
        self._socket.setsockopt(zmq.IDENTITY, self._identity)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)

    def send(self, message: AnyMessage, payload: Payload | None = None) -> bool:
        return self._send(codec.encode(message, payload))


class Router(End):
    """ROUTER, bound; a peer that is not there is an error, not a silence."""

    def __init__(self, address: str, *, hwm: int = FRAME_HWM) -> None:
        super().__init__(zmq.ROUTER, address, bind=True, hwm=hwm)

    def _prepare(self) -> None:
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._socket.setsockopt(zmq.ROUTER_HANDOVER, 1)

    def send(self, peer: str, message: AnyMessage, payload: Payload | None = None) -> bool:
        return self._send([peer.encode(), *codec.encode(message, payload)])

    def messages(self, most: int = 1024) -> Iterator[tuple[str, AnyMessage, Mapping[str, "Pixels | bytes"]]]:
        """(peer, message, what followed it), without waiting."""
        for _ in range(most):
            if (frames := self._receive()) is None:
                return
            try:
                message, payload = codec.decode(frames[1:])
                yield frames[0].decode(), message, payload
            except (CodecError, UnicodeDecodeError) as error:
                log.error("message.refused", address=self._address, error=str(error))


class Bell(End):
    """Rung by a thread of this process, to wake the loop that waits on `Ears`."""

    def __init__(self) -> None:
        address = f"inproc://bell-{next(_BELLS)}"
        super().__init__(zmq.PULL, address, bind=True, hwm=1)
        self._rope = _BellRope(address)

    def ring(self) -> None:
        """From the one thread that rings; rung twice, it is heard once."""
        self._rope.pull()

    def hush(self) -> None:
        """Heard."""
        while self._receive() is not None:
            pass

    def close(self) -> None:
        """Once the thread that rings has ended."""
        self._rope.close()
        super().close()


class _BellRope(End):
    """A socket belongs to one thread: the end of the one that rings."""

    def __init__(self, address: str) -> None:
        super().__init__(zmq.PUSH, address, bind=False, hwm=1)

    def pull(self) -> None:
        self._send([b""])


class Ears:
    """Waits on the rope and on ends at once."""

    def __init__(self, lifeline: Lifeline, *ends: End) -> None:
        self._lifeline, self._ends = lifeline, ends
        self._poller = zmq.Poller()
        self._poller.register(lifeline.fileno(), zmq.POLLIN)
        for end in ends:
            self._poller.register(end.socket, zmq.POLLIN)

    def wait(self, timeout_ms: float) -> tuple[set[End], list[Order]]:
        """The ends that have something, and what the supervisor ordered; beats before it sleeps."""
        self._lifeline.beat()
        events = dict(self._poller.poll(max(0, round(timeout_ms))))
        orders = self._lifeline.orders() if self._lifeline.fileno() in events else []
        return {end for end in self._ends if end.socket in events}, orders
