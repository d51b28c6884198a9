"""A plain asyncua server with the tags, and nothing that knows what they mean; keys and certificates for it."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from asyncua import Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from cryptography.x509.oid import ExtendedKeyUsageOID

from benchmarks.gate import free_port
from config.actuators import OpcUaActuator
from config.remote import Certificates
from monitor.actuators import tags
from monitor.actuators.opcua import OpcUaWire

NAMESPACE = "urn:plc"
SERVER_URI, CLIENT_URI = "urn:test:plc", "urn:test:line"
PASSWORD = "let me in"
ALL_TAGS = (*tags.PLC_TAGS, *tags.ACTED_TAGS, *tags.LINE_TAGS, tags.MAILBOX)

_T = TypeVar("_T")


class PlainServer:
    """In a thread; `put` and `get` its tags."""

    def __init__(self, *, keys: Path | None = None, users: bool = False) -> None:
        self.port = free_port()
        self._keys, self._users = keys, users
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.nodes: dict[str, ua.NodeId] = {}
        self.server = self.run(self._open())

    def run(self, doing: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(30.0)

    def put(self, values: dict[str, tags.Value], *, kinds: dict[str, str] | None = None) -> None:
        by_name = {tag.name: tag for tag in ALL_TAGS}

        async def put() -> None:
            for name, value in values.items():
                kind = ua.VariantType[(kinds or {}).get(name, by_name[name].kind)]
                held = bool(value) if kind is ua.VariantType.Boolean else value
                await self.server.write_attribute_value(self.nodes[name], ua.DataValue(ua.Variant(held, kind)))

        self.run(put())

    def get(self) -> dict[str, tags.Value]:
        async def get() -> dict[str, tags.Value]:
            return {name: await self.server.get_node(node).read_value() for name, node in self.nodes.items()}

        return self.run(get())

    def close(self) -> None:
        self.run(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _open(self) -> Server:
        server = Server(user_manager=_Users() if self._users else None)  # type: ignore[arg-type]
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        if self._keys is not None:
            await server.set_application_uri(SERVER_URI)
            await server.load_certificate(self._keys / "server.der")
            await server.load_private_key(self._keys / "server.pem")
            server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        if self._users:
            server.set_identity_tokens([ua.UserNameIdentityToken])
        index = await server.register_namespace(NAMESPACE)
        for tag in ALL_TAGS:
            zero: Any = False if tag.kind == "Boolean" else 0
            node = await server.nodes.objects.add_variable(
                ua.NodeId(ua.String(f"Line.{tag.name}"), ua.Int16(index)),
                ua.QualifiedName(tag.name, index),
                [zero] * tag.size if tag.size else zero,
                ua.VariantType[tag.kind],
            )
            if tag in tags.LINE_TAGS or tag is tags.MAILBOX:
                await node.set_writable()
            self.nodes[tag.name] = node.nodeid
        await server.start()
        return server


class _Users:
    def get_user(
        self, _server: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        return User(role=UserRole.User, name=username) if (username, password) == ("line", PASSWORD) else None


def a_wire(port: int, **facts: Any) -> OpcUaWire:
    given: dict[str, Any] = {"url": f"opc.tcp://127.0.0.1:{port}", "namespace": NAMESPACE, "timeout_ms": 3000.0} | facts
    return OpcUaWire(OpcUaActuator(kind="opcua", **given))


@contextmanager
def opened(port: int, **facts: Any) -> Iterator[OpcUaWire]:
    wire = a_wire(port, **facts)
    try:
        wire.open()
        yield wire
    finally:
        wire.close()


def write_keys(folder: Path) -> None:
    """A pair for the server, one for the line, and one of somebody else."""
    for name, uri in (("server", SERVER_URI), ("line", CLIENT_URI), ("other", SERVER_URI)):
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if name == "line" else ExtendedKeyUsageOID.SERVER_AUTH
        key, certificate = folder / f"{name}.pem", folder / f"{name}.der"
        asyncio.run(setup_self_signed_certificate(key, certificate, uri, socket.gethostname(), [usage], {}))
        key.chmod(0o600)


def certificates(folder: Path, *, peer: str = "server") -> Certificates:
    return Certificates(
        certificate=str(folder / "line.der"), private_key=str(folder / "line.pem"), peer=str(folder / f"{peer}.der")
    )
