"""The line as a Sparkplug B edge node, besides any gate: a thread keeps births, deaths and data over a broker."""

import contextlib
import threading
import time
from pathlib import Path

import structlog

from config.onlookers import Sparkplug
from monitor.actuators.mqtt_client import BrokerLost, Connection, Heard, Said
from monitor.actuators.sparkplug_payload import CommandError, asks_for_rebirth, encode
from monitor.onlookers import CLOSE_S, Backlog
from monitor.rules.sparkplug import SEQS, EdgeNode, Report, Told, Verb

BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0)  # after the first, second, … failure in a row

log = structlog.get_logger()


class SparkplugNode:
    """An onlooker. bdSeq goes on over restarts: a death that comes late ends no later birth."""

    def __init__(self, facts: Sparkplug, *, state: Path) -> None:
        self._facts = facts
        self._life = state / "sparkplug-bdseq"
        self._node = EdgeNode(bd_seq=_last_life(self._life))
        self._backlog: Backlog[Told] = Backlog("sparkplug", most=facts.backlog)
        self._rebirth, self._over = threading.Event(), threading.Event()
        self._connection = Connection(
            facts,
            client_id=f"{facts.group_id}-{facts.edge_node}",
            topics=[self._topic("NCMD")],
            hears=self._hears,
            timeout_s=facts.timeout_ms / 1000,
        )
        self._thread = threading.Thread(target=self._keep_telling, name="sparkplug", daemon=True)
        self._thread.start()

    def tell(self, told: Told) -> None:
        self._backlog.put(told)

    def close(self) -> None:
        self._over.set()
        self._thread.join(CLOSE_S)

    def _keep_telling(self) -> None:
        failures, again_s = 0, 0.0
        while not self._over.is_set():
            self._take_in(self._facts.every_ms / 1000)
            if self._connection.lost and time.monotonic() < again_s:
                continue
            try:
                if self._connection.lost:
                    self._be_born()
                elif self._rebirth.is_set():
                    self._rebirth.clear()
                    self._say(self._node.births())
                else:
                    self._say(self._node.news())
                failures = 0
            except BrokerLost as error:
                if not failures:
                    log.warning("sparkplug.broker_lost", error=str(error))
                again_s = time.monotonic() + BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
                failures += 1
                self._connection.close()
        if not self._connection.lost:
            with contextlib.suppress(BrokerLost):  # then the broker says it
                self._say([*self._node.news(), self._node.will()])
        self._connection.close()

    def _take_in(self, for_s: float) -> None:
        """What comes within this time; a death must not wait for longer than one look."""
        until_s = time.monotonic() + for_s
        while not self._over.is_set() and (left_s := until_s - time.monotonic()) > 0:
            if told := self._backlog.get(min(left_s, 0.1)):
                self._node.hears(told)
        while told := self._backlog.get(0):
            self._node.hears(told)
        self._node.dropped(self._backlog.dropped)

    def _be_born(self) -> None:
        self._node.next_life()
        try:
            self._life.parent.mkdir(parents=True, exist_ok=True)
            self._life.write_text(str(self._node.bd_seq))
        except OSError as error:  # a full disk is no reason to be silent; after a restart a number may come again
            log.warning("sparkplug.life_unwritten", error=str(error))
        will = self._node.will()
        self._connection.open(Said(topic=self._topic(will.verb), payload=encode(will)))
        self._rebirth.clear()
        self._say(self._node.births())
        log.info("sparkplug.born", broker=self._connection.place, bd_seq=self._node.bd_seq)

    def _say(self, reports: list[Report]) -> None:
        """With QoS 0, as the specification wants it: what is lost shows in seq, and a host asks for a rebirth."""
        for report in reports:
            qos = 1 if report.verb is Verb.NDEATH else 0
            self._connection.say(Said(topic=self._topic(report.verb, report.device), payload=encode(report), qos=qos))

    def _topic(self, verb: str, device: str = "") -> str:
        return f"spBv1.0/{self._facts.group_id}/{verb}/{self._facts.edge_node}" + (f"/{device}" if device else "")

    def _hears(self, heard: Heard) -> None:
        try:
            if not heard.retained and asks_for_rebirth(heard.payload):
                self._rebirth.set()
        except CommandError as error:
            log.warning("sparkplug.command_refused", error=str(error))


def _last_life(path: Path) -> int:
    """The bdSeq of the last connection; the next is one more."""
    try:
        return int(path.read_text()) % SEQS
    except (OSError, ValueError):
        return SEQS - 1  # the first life is 0
