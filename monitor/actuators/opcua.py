"""OPC UA to a PLC that serves the tags of `monitor/actuators/tags.py`; the line is the client.

asyncua runs on a loop of its own, which turns only while `PlcGate`'s thread waits for an answer.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from asyncua import Client, ua
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties
from cryptography import x509

from config.actuators import OpcUaActuator
from config.loader import package_path
from config.remote import Certificates, Login, SecretError, leaves_host, read_secret
from monitor.actuators import tags
from monitor.actuators.plc import WireError
from monitor.actuators.tags import Tag
from monitor.rules.handshake import Acted, LineStatus, Mailbox, PlcStatus

WATCHDOG_S = 3600.0  # asyncua's own look at the server: the handshake looks far more often
PEM = b"-----BEGIN"
SESSION_MS = 30_000  # a session that we lost is the server's to forget after this

_T = TypeVar("_T")


class OpcUaWire:
    """A client in the thread of `PlcGate`; each `open` makes a new one."""

    def __init__(self, facts: OpcUaActuator) -> None:
        logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)  # what fails is said by us, once
        self._facts = facts
        self._timeout_s = facts.timeout_ms / 1000
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Client | None = None
        self._is_sound = False  # the server answered last time: it is worth saying goodbye to
        self._nodes: dict[str, ua.NodeId] = {}

    def open(self) -> None:
        self.close()
        self._loop = asyncio.new_event_loop()
        self._answer(self._connect())

    def status(self) -> PlcStatus:
        # session once more at the end: a start of the PLC between the tags would mix two sessions' counters
        *values, again = self._answer(self._read([*tags.PLC_TAGS, tags.SESSION]))
        named = {tag.name: value for tag, value in zip(tags.PLC_TAGS, values, strict=True)}
        if named[tags.SESSION.name] != again:
            raise WireError(f"{self._place}: session became {again} while it was read")
        try:
            return tags.read_status(named)
        except tags.TagError as error:
            raise WireError(f"{self._place}: {error}") from error

    def acted(self, wanted: range) -> list[Acted]:
        values = self._answer(self._read(tags.ACTED_TAGS))
        try:
            return tags.read_acted(
                wanted, {tag.name: value for tag, value in zip(tags.ACTED_TAGS, values, strict=True)}
            )
        except tags.TagError as error:
            raise WireError(f"{self._place}: {error}") from error

    def write(self, line: LineStatus, mailbox: Mailbox | None) -> None:
        self._answer(self._write(tags.line_values(line, mailbox)))

    def close(self) -> None:
        loop, client, is_sound = self._loop, self._client, self._is_sound
        self._loop, self._client, self._is_sound = None, None, False
        if loop is not None:
            loop.run_until_complete(_let_go(client, is_sound=is_sound, within_s=self._timeout_s))
            loop.close()

    @property
    def _place(self) -> str:
        return f"opcua {self._facts.url}"

    def _answer(self, asked: Coroutine[Any, Any, _T]) -> _T:
        """What comes of it within the time; a WireError for whatever else."""
        if self._loop is None:
            asked.close()
            raise WireError(f"{self._place}: is not open")
        self._is_sound = False
        try:
            answer = self._loop.run_until_complete(asyncio.wait_for(asked, self._timeout_s))
        except WireError:
            raise
        except TimeoutError as error:
            raise WireError(f"{self._place}: no answer within {self._facts.timeout_ms:g} ms") from error
        except Exception as error:
            # asyncua parses what a foreign server sends, and may break on it in any way; this thread must not
            raise WireError(f"{self._place}: {str(error) or type(error).__name__}") from error
        self._is_sound = True
        return answer

    async def _connect(self) -> None:
        client = Client(self._facts.url, timeout=self._timeout_s, watchdog_intervall=WATCHDOG_S)
        self._client = client
        client.session_timeout = SESSION_MS
        client.name = client.description = "line-monitor"
        try:
            if self._facts.certificates is not None:
                await _secure(client, self._facts.certificates)
            if self._facts.login is not None:
                await self._log_in(client, self._facts.login)
        except SecretError as error:
            raise WireError(f"{self._place}: {error}") from error
        await client.connect()
        spaces = await client.get_namespace_array()
        if self._facts.namespace not in spaces:
            raise WireError(f"{self._place}: has no namespace {self._facts.namespace!r}; there are {spaces}")
        index = spaces.index(self._facts.namespace)
        self._nodes = {
            tag.name: ua.NodeId(ua.String(self._facts.node.format(tag=tag.name)), ua.Int16(index))
            for tag in (*tags.PLC_TAGS, *tags.ACTED_TAGS, *tags.LINE_TAGS, tags.MAILBOX)
        }

    async def _log_in(self, client: Client, login: Login) -> None:
        """A password leaves this host encrypted, or not at all."""
        if leaves_host(self._facts.host) and self._facts.certificates is None:
            endpoints = await client.connect_and_get_server_endpoints()
            if not any(_hides_password(endpoint) for endpoint in endpoints):
                raise WireError(f"{self._place}: takes passwords in the clear only: use [actuator.certificates]")
        client.set_user(login.user)
        client.set_password(read_secret(package_path(login.password_file)).decode().rstrip("\r\n"))

    async def _read(self, wanted: Sequence[Tag]) -> list[tags.Value]:
        nodes = [self._nodes[tag.name] for tag in wanted]
        found = await self._connected.uaclient.read_attributes(nodes, ua.AttributeIds.Value)
        if len(found) != len(wanted):
            raise WireError(f"{self._place}: {len(found)} values came, not {len(wanted)}")
        return [self._checked(tag, value) for tag, value in zip(wanted, found, strict=True)]

    def _checked(self, tag: Tag, found: ua.DataValue) -> tags.Value:
        at = f"{self._place} {self._nodes[tag.name].to_string()}"
        if found.StatusCode is not None and not found.StatusCode.is_good():
            raise WireError(f"{at}: {found.StatusCode.name}")
        if found.Value is None or found.Value.VariantType is not ua.VariantType[tag.kind]:
            kind = "nothing" if found.Value is None else found.Value.VariantType.name
            raise WireError(f"{at}: is {kind}; {tag.name} must be {tag.kind}")
        value: tags.Value | None = found.Value.Value
        if value is None or isinstance(value, int) != (tag.size == 0):
            raise WireError(f"{at}: must be {f'an array of {tag.size}' if tag.size else 'one'} {tag.kind}")
        return value

    async def _write(self, values: Mapping[str, tags.Value]) -> None:
        by_name = {tag.name: tag for tag in (*tags.LINE_TAGS, tags.MAILBOX)}
        nodes = [self._nodes[name] for name in values]
        # neither times nor a status: many PLCs refuse a write that brings them
        written = [ua.DataValue(_variant(by_name[name], value), StatusCode=None) for name, value in values.items()]
        codes = await self._connected.uaclient.write_attributes(nodes, written, ua.AttributeIds.Value)
        for node, code in zip(nodes, codes, strict=True):
            if not code.is_good():
                raise WireError(f"{self._place} {node.to_string()}: the PLC refused the write: {code.name}")

    @property
    def _connected(self) -> Client:
        if self._client is None:
            raise WireError(f"{self._place}: is not open")
        return self._client


def _variant(tag: Tag, value: tags.Value) -> ua.Variant:
    kind = ua.VariantType[tag.kind]
    if tag.kind == "Boolean":
        return ua.Variant(bool(value), kind)
    return ua.Variant(value if isinstance(value, int) else list(value), kind)


def _hides_password(endpoint: ua.EndpointDescription) -> bool:
    """Whether a session without security there takes its password encrypted."""
    clear = ("", security_policies.SecurityPolicyNone.URI, None)
    return endpoint.SecurityMode == ua.MessageSecurityMode.None_ and any(
        token.TokenType == ua.UserTokenType.UserName and token.SecurityPolicyUri not in clear
        for token in endpoint.UserIdentityTokens
    )


async def _secure(client: Client, given: Certificates) -> None:
    """Signs and encrypts; the other end's certificate is the one that we were given, or nothing comes of it."""
    own = package_path(given.certificate).read_bytes()
    client.application_uri = application_uri(own) or client.application_uri
    await client.set_security(
        getattr(security_policies, f"SecurityPolicy{given.policy}"),
        certificate=of_its_kind(own),
        private_key=of_its_kind(read_secret(package_path(given.private_key))),
        server_certificate=of_its_kind(package_path(given.peer).read_bytes()),
        mode=ua.MessageSecurityMode.SignAndEncrypt,
    )


def of_its_kind(content: bytes) -> CertProperties:
    """A key or certificate, PEM or DER."""
    return CertProperties(content, "pem" if content.startswith(PEM) else "der")


def application_uri(certificate: bytes) -> str | None:
    """Of whom this certificate is: either end holds it against the name that the other gives itself."""
    try:
        names = read_certificate(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), None)


def read_certificate(content: bytes) -> x509.Certificate:
    """PEM or DER."""
    if content.startswith(PEM):
        return x509.load_pem_x509_certificate(content)
    return x509.load_der_x509_certificate(content)


async def _let_go(client: Client | None, *, is_sound: bool, within_s: float) -> None:
    if client is not None and is_sound:
        await asyncio.wait([asyncio.ensure_future(client.disconnect())], timeout=within_s)
    if client is not None:
        client.disconnect_socket()
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.sleep(0)  # the transport closes in the loop's next round
