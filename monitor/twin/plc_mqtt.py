"""The simulated PLC as a client of an MQTT broker, with the topics of `monitor/actuators/topics.py`."""

import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from config.actuators import MqttActuator
from monitor.actuators import topics
from monitor.actuators.mqtt_client import BrokerLost, Connection, Heard, Said
from monitor.rules.handshake import Mailbox
from monitor.twin.plc_program import PlcProgram

PERIOD_S = 0.02  # from one status to the next
BACK_OFF_S = 0.2

log = structlog.get_logger()


@asynccontextmanager
async def serving(program: PlcProgram, actuator: MqttActuator, *, station: str) -> AsyncIterator[None]:
    """Publishes until the block ends. A stalled program publishes nothing; the broker alone would not know."""
    front = _Front(program, actuator, station)
    front.open()
    try:
        yield
    finally:
        front.close()


class _Front:
    def __init__(self, program: PlcProgram, actuator: MqttActuator, station: str) -> None:
        self._program = program
        self._topics = topics.Topics(actuator.prefix, station)
        self._connection = Connection(
            actuator,
            client_id=f"{actuator.prefix}-{station}-plc".replace("/", "-"),
            topics=[self._topics.line(name) for name in ("state", "status", "results", "acted")],
            hears=self._hears,
            timeout_s=actuator.timeout_ms / 1000,
        )
        self._told = (0, 0)  # session, and the number of the last part at the gate that was published in it
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_publishing, name="plc-mqtt", daemon=True)

    def open(self) -> None:
        """BrokerLost where there is none at the start; later it is waited for."""
        self._connect()
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        try:
            self._connection.say(Said(topic=self._topics.plc("state"), payload=topics.OFFLINE, retained=True))
        except BrokerLost as error:  # its will speaks for it, where anybody still hears
            log.warning("plc.goodbye_unheard", error=str(error))
        self._connection.close()

    def _connect(self) -> None:
        state = self._topics.plc("state")
        self._connection.open(Said(topic=state, payload=topics.OFFLINE, retained=True))
        self._connection.say(Said(topic=state, payload=topics.ONLINE, retained=True))

    def _keep_publishing(self) -> None:
        while not self._over.is_set():
            begun_s = time.monotonic()
            try:
                if self._connection.lost:
                    self._connect()
                self._connection.say(*self._news())
            except BrokerLost as error:
                log.warning("plc.broker_lost", error=str(error))
                self._connection.close()
                self._over.wait(BACK_OFF_S)
                continue
            self._over.wait(max(0.0, PERIOD_S - (time.monotonic() - begun_s)))

    def _news(self) -> list[Said]:
        """What met the gate comes before the status that counts it."""
        with self._program.lock:
            if self._program.faults.stalled:
                return []
            status = self._program.status(time.monotonic_ns())
            told = self._told[1] if self._told[0] == status.session else 0
            entries = [entry for entry in self._program.acted if entry.n > told][: topics.ENTRIES_MOST]
            self._told = (status.session, entries[-1].n if entries else told)
        said = [Said(topic=self._topics.plc("status"), payload=topics.status_payload(status))]
        if entries:
            acted = topics.acted_payload(status.session, entries)
            said.insert(0, Said(topic=self._topics.plc("acted"), payload=acted))
        return said

    def _hears(self, heard: Heard) -> None:
        try:
            with self._program.lock:
                self._take(heard, time.monotonic_ns())
        except topics.TopicError as error:
            log.warning("plc.payload_refused", topic=heard.topic, error=str(error))

    def _take(self, heard: Heard, now_ns: int) -> None:
        if heard.topic == self._topics.line("state"):
            if heard.payload == topics.OFFLINE:
                self._program.line_lost(now_ns)
            return
        if heard.retained:
            raise topics.TopicError("it is retained, and may be of any age; only states are")
        if heard.topic == self._topics.line("status"):
            self._program.written(topics.read_line(heard.payload), Mailbox(batch=0, results=()), now_ns)
        elif heard.topic == self._topics.line("acted"):
            session, first = topics.read_wanted(heard.payload)
            if session == self._program.session:
                self._told = (session, first - 1)
        else:
            session, mailbox = topics.read_results(heard.payload)
            if session != self._program.session:
                raise topics.TopicError(f"the batch is for session {session}, this is {self._program.session}")
            if self._program.line is None:
                raise topics.TopicError("there is no status of the line yet")
            self._program.written(self._program.line, mailbox, now_ns)
