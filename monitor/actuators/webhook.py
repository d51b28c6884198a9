"""Each verdict by POST to a web server, for dashboards: signed, said again for a while, and no way to a gate.

An HTTP answer proves nothing of a part, and a server may be away for hours; decision says a disposition until the gate
confirms it. So this hears beside the gate, and is no actuator.
"""

import hashlib
import hmac
import http.client
import json
import ssl
import threading
import time
from collections import OrderedDict
from http import HTTPStatus

import structlog

from config.brokers import SecretError, read_secret
from config.loader import package_path
from config.onlookers import Webhook
from monitor.messages import Disposition
from monitor.onlookers import CLOSE_S, Backlog
from monitor.rules.sparkplug import Told

BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)  # after the first, second, … failure in a row
ANSWER_MOST = 64 * 1024  # bytes of an answer; nothing in it is looked at
REMEMBERED = 100_000  # slots that were taken in
PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}  # of 4xx: worth another try

log = structlog.get_logger()


class Refused(Exception):
    """The server has answered that it will not have this, now or later."""


class Unanswered(Exception):
    """The server is not there, or slow, or in trouble: it may be there later."""


class Notifier:
    """An onlooker: one thread, one verdict at a time, the oldest first."""

    def __init__(self, facts: Webhook, *, station: str) -> None:
        self._facts, self._station = facts, station
        self._tls: ssl.SSLContext | None = None
        self._backlog: Backlog[bytes] = Backlog(f"notify {facts.place.netloc}", most=facts.backlog)
        self._taken: OrderedDict[int, None] = OrderedDict()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_posting, name="notify", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Verdicts for which there was no room."""
        return self._backlog.dropped

    def tell(self, told: Told) -> None:
        if not isinstance(told, Disposition) or told.slot in self._taken:
            return
        verdict = {
            "station": self._station,
            "slot": told.slot,
            "outcome": told.outcome,
            "reason": told.reason,
            "at": time.time_ns(),
        }
        # one that was dropped is not remembered: decision may say it again, when there is room
        if self._backlog.put(json.dumps(verdict, separators=(",", ":")).encode()):
            self._taken[told.slot] = None
            if len(self._taken) > REMEMBERED:
                self._taken.popitem(last=False)

    def close(self) -> None:
        self._over.set()
        self._thread.join(CLOSE_S)

    def _keep_posting(self) -> None:
        while True:
            body = self._backlog.get(0.1)
            if body is not None:
                self._deliver(body)
            elif self._over.is_set():
                return

    def _deliver(self, body: bytes) -> None:
        begun_s, failures = time.monotonic(), 0
        while True:
            try:
                self._post(body)
                if failures:
                    log.info("notify.answered_again", url=self._facts.url, failures=failures)
                return
            except Refused as error:
                log.warning("notify.refused", url=self._facts.url, error=str(error))
                return
            except Unanswered as error:
                if not failures:
                    log.warning("notify.unanswered", url=self._facts.url, error=str(error))
                failures += 1
                if time.monotonic() - begun_s >= self._facts.give_up_s or self._over.is_set():
                    log.warning("notify.given_up", url=self._facts.url, failures=failures, error=str(error))
                    return
            self._over.wait(BACK_OFF_S[min(failures, len(BACK_OFF_S)) - 1])

    def _post(self, body: bytes) -> None:
        place = self._facts.place
        headers = {"Content-Type": "application/json"}
        try:
            if self._facts.secret:
                headers["X-Line-Signature"] = "sha256=" + hmac.new(self._key(), body, hashlib.sha256).hexdigest()
            link = self._link(place.hostname or "", place.port)
        except (OSError, SecretError) as error:  # here, not at the start: a dashboard's file must not end actuation
            raise Unanswered(str(error)) from error
        try:
            link.request("POST", (place.path or "/") + (f"?{place.query}" if place.query else ""), body, headers)
            answer = link.getresponse()
            answer.read(ANSWER_MOST)
        except (OSError, http.client.HTTPException) as error:
            raise Unanswered(f"{type(error).__name__}: {error}") from error
        finally:
            link.close()
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return
        passing = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in PASSING
        raise (Unanswered if passing else Refused)(f"{answer.status} {answer.reason}")

    def _key(self) -> bytes:
        path = package_path(self._facts.secret)
        if key := read_secret(path).strip().encode():
            return key
        raise SecretError(f"{path}: is empty")

    def _link(self, host: str, port: int | None) -> http.client.HTTPConnection:
        timeout_s = self._facts.timeout_ms / 1000
        if self._facts.place.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=timeout_s)
        if self._tls is None:
            ca = str(package_path(self._facts.ca)) if self._facts.ca else None
            self._tls = ssl.create_default_context(cafile=ca)
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=self._tls)
