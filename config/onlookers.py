"""Who else hears what the gate is told: Sparkplug B for SCADA, web servers for dashboards; no way to a gate."""

from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pydantic import Field

from config.base import Table
from config.brokers import WHY_PROVEN, Broker, SecretError, is_this_host, read_secret

NO_GATE = (
    "a web server that answers late, or never, holds no part back: "
    "give the gate an actuator of its own, and the dashboard a table [[notify]]"
)
_WORD = r"^[A-Za-z0-9_.-]{1,64}$"  # Sparkplug forbids + / # in names


class Sparkplug(Broker):
    """The line as a Sparkplug B edge node; see docs/plc-mqtt.md."""

    group_id: str = Field(pattern=_WORD)
    edge_node: str = Field(pattern=_WORD)
    every_ms: float = Field(default=250.0, ge=20, le=60_000)  # what has changed is said so often
    timeout_ms: float = Field(default=2000.0, ge=100, le=30_000)
    backlog: int = Field(default=10_000, ge=10, le=1_000_000)  # messages that wait while the broker is away


class Webhook(Table):
    """Each verdict by POST as JSON, signed where there is a secret."""

    url: str = Field(max_length=2000, pattern=r"^https?://[!-~]+$")  # ASCII: what else is in it, as %XX
    secret: str = ""  # a file of mode 0600: the key of the HMAC-SHA256 in `X-Line-Signature`
    ca: str = ""  # PEM file of who vouches for the server; else the system's
    timeout_ms: float = Field(default=2000.0, ge=50, le=60_000)
    give_up_s: float = Field(default=60.0, ge=0, le=86_400)  # a verdict that could not be told for so long is dropped
    backlog: int = Field(default=1000, ge=1, le=1_000_000)

    @property
    def place(self) -> SplitResult:
        return urlsplit(self.url)


def webhook_problems(webhook: Webhook, located: Callable[[str], Path]) -> Iterable[tuple[str, str]]:
    """(key, what is wrong) of one table [[notify]]."""
    try:
        host, _ = webhook.place.hostname or "", webhook.place.port
    except ValueError as error:
        yield "url", f"{webhook.url!r}: {error}"
        return
    if not host or webhook.place.username is not None:
        yield "url", "needs a host, and no user or password: who speaks is proven by `secret`"
    elif not is_this_host(host):
        if webhook.place.scheme != "https":
            yield "url", f"must begin with https://, as {host} is not on this host: {WHY_PROVEN}"
        if not webhook.secret:
            yield "secret", f"is missing, but {host} is not on this host: {WHY_PROVEN}"
    if webhook.secret:
        try:
            if not read_secret(located(webhook.secret)).strip():
                yield "secret", f"{located(webhook.secret)}: is empty"
        except SecretError as error:
            yield "secret", str(error)
    if webhook.ca and not located(webhook.ca).is_file():
        yield "ca", f"{located(webhook.ca)}: no such file"
