"""MQTT to a PLC that speaks the topics of `monitor/actuators/topics.py`; line and PLC are clients of one broker."""

from collections import OrderedDict

import structlog

from config.actuators import MqttActuator
from monitor.actuators import topics
from monitor.actuators.mqtt_client import BrokerLost, Connection, Heard, Said
from monitor.actuators.plc import WireError
from monitor.rules.handshake import ACTED_KEPT, Acted, LineStatus, Mailbox, PlcStatus

log = structlog.get_logger()


class MqttWire:
    """What the broker brings is taken in by the client's thread; `PlcGate`'s thread waits for it here."""

    def __init__(self, facts: MqttActuator, *, station: str) -> None:
        self._topics = topics.Topics(facts.prefix, station)
        self._timeout_s = facts.timeout_ms / 1000
        self._connection = Connection(
            facts,
            # one name for each station's line: of two lines that order one PLC about, the broker lets one in
            client_id=f"{facts.prefix}-{station}-line".replace("/", "-"),
            topics=[self._topics.plc(name) for name in ("state", "status", "acted")],
            hears=self._hears,
            timeout_s=self._timeout_s,
        )
        self._changed = self._connection.changed
        self._status: PlcStatus | None = None  # heard, and not asked for yet
        self._is_offline = False  # by the PLC's last will
        self._session = 0  # of the status given last
        self._entries: OrderedDict[tuple[int, int], Acted] = OrderedDict()  # by session and number
        self._refused: dict[str, str] = {}  # by topic: why its last payload was dropped

    def open(self) -> None:
        with self._changed:
            self._status, self._is_offline = None, False
            self._entries.clear()
        state = self._topics.line("state")
        try:
            self._connection.open(Said(topic=state, payload=topics.OFFLINE, retained=True))
            self._connection.say(Said(topic=state, payload=topics.ONLINE, retained=True))
        except BrokerLost as error:
            raise WireError(str(error)) from error

    def status(self) -> PlcStatus:
        """One that was not given before: a PLC that publishes nothing is not there, whatever it published once."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._status is not None or self._is_offline or self._connection.lost, self._timeout_s
            )
            status, self._status = self._status, None
            if status is not None:
                self._session = status.session
                return status
        topic = self._topics.plc("status")
        why = self._connection.lost or (
            f"{self._connection.place}: the PLC is offline, by its last will"
            if self._is_offline
            else f"{self._connection.place}: nothing on {topic} for {1000 * self._timeout_s:g} ms"
        )
        raise WireError(why + (f"; dropped: {self._refused[topic]}" if topic in self._refused else ""))

    def acted(self, wanted: range) -> list[Acted]:
        def here() -> list[Acted]:
            numbers = (n for n in wanted)
            found = []
            while (entry := self._entries.get((self._session, next(numbers, 0)))) is not None:
                found.append(entry)
            return found

        with self._changed:
            if entries := here():
                return entries
        request = topics.wanted_payload(self._session, wanted.start)
        self._say(Said(topic=self._topics.line("acted"), payload=request))  # we were not there when it was said
        with self._changed:
            self._changed.wait_for(lambda: here() or self._connection.lost, self._timeout_s)
            if entries := here():
                return entries
        raise WireError(
            f"{self._connection.place}: the PLC does not say what met the gate as number {wanted.start}, "
            f"though it has counted {wanted.stop - 1}"
        )

    def write(self, line: LineStatus, mailbox: Mailbox | None) -> None:
        said = [Said(topic=self._topics.line("status"), payload=topics.line_payload(line))]
        if mailbox is not None:
            batch = topics.results_payload(self._session, mailbox)
            said.append(Said(topic=self._topics.line("results"), payload=batch))
        self._say(*said)

    def close(self) -> None:
        """In good order the broker keeps the will to itself: what it says is then said here."""
        if not self._connection.lost:
            try:
                self._connection.say(Said(topic=self._topics.line("state"), payload=topics.OFFLINE, retained=True))
            except BrokerLost as error:
                log.warning("mqtt.goodbye_unheard", error=str(error))
        self._connection.close()

    def _say(self, *said: Said) -> None:
        try:
            self._connection.say(*said)
        except BrokerLost as error:
            raise WireError(str(error)) from error

    def _hears(self, heard: Heard) -> None:
        try:
            self._take(heard)
        except topics.TopicError as error:
            if heard.topic not in self._refused:  # once for a row of them
                log.warning("mqtt.payload_refused", topic=heard.topic, error=str(error))
            self._refused[heard.topic] = str(error)
        else:
            self._refused.pop(heard.topic, None)

    def _take(self, heard: Heard) -> None:
        if heard.topic == self._topics.plc("state"):
            with self._changed:
                self._is_offline = heard.payload == topics.OFFLINE
                self._changed.notify_all()
            return
        if heard.retained:
            raise topics.TopicError("it is retained, and may be of any age; only states are")
        if heard.topic == self._topics.plc("status"):
            status = topics.read_status(heard.payload)
            with self._changed:
                self._status = status
                self._changed.notify_all()
            return
        session, entries = topics.read_acted(heard.payload)
        with self._changed:
            for entry in entries:
                self._entries[session, entry.n] = entry
            while len(self._entries) > 2 * ACTED_KEPT:
                self._entries.popitem(last=False)
            self._changed.notify_all()
