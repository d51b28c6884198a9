"""An asyncua server that does not make its process pause, keeps to bounds, and knows whom it lets in."""

import gc
import hmac
from typing import Any

from asyncua import Server, ua
from asyncua.crypto.permission_rules import User, UserRole
from cryptography.hazmat.primitives.serialization import Encoding

from config.loader import package_path
from config.opcua_server import OpcUaServer
from config.remote import Login, read_secret
from monitor.actuators.opcua import application_uri, of_its_kind, read_certificate

CONNECTIONS_MOST = 20
SUBSCRIPTIONS_MOST = 50
UNREAD_MOST = 1000  # notifications of one subscription


async def new_server(facts: OpcUaServer, *, name: str = "line-monitor") -> Server:
    """With its standard address space, and not yet listening; SecretError where a key must not be used."""
    given = facts.certificates
    peer = read_certificate(package_path(given.peer).read_bytes()) if given else None
    server = Server(
        user_manager=_Doorkeeper(facts.login, peer.public_bytes(Encoding.DER) if peer else None)  # type: ignore[arg-type]
    )
    # To look through 460,000 objects for garbage takes 0.2 s, in which a part passes: they live as long as we do
    gc.disable()
    try:
        await server.init()
        gc.freeze()
    finally:
        gc.enable()
    server.name = name
    server.allow_remote_admin(False)
    server.set_endpoint(f"opc.tcp://{facts.host}:{facts.port}")
    server.set_identity_tokens([ua.UserNameIdentityToken if facts.login else ua.AnonymousIdentityToken])
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    if given:
        own = package_path(given.certificate).read_bytes()
        certificate, key = of_its_kind(own), of_its_kind(read_secret(package_path(given.private_key)))
        await server.set_application_uri(application_uri(own) or server.get_application_uri())
        await server.load_certificate(certificate.path_or_content, certificate.extension)
        await server.load_private_key(key.path_or_content, format=key.extension)
        server.set_security_policy([ua.SecurityPolicyType[f"{given.policy}_SignAndEncrypt"]])
    server.iserver.max_connections = CONNECTIONS_MOST
    server.iserver.max_subscriptions = SUBSCRIPTIONS_MOST
    server.iserver.max_unacked_messages_per_subscription = UNREAD_MOST
    return server


class _Doorkeeper:
    """Asked for each session. The certificate is the channel's own, which a client cannot leave out."""

    def __init__(self, login: Login | None, peer: bytes | None) -> None:
        self._user = login.user if login else None
        self._password = read_secret(package_path(login.password_file)).strip(b"\r\n") if login else None
        self._peer = peer

    def get_user(
        self, _server: Any, username: str | None = None, password: str | None = None, certificate: bytes | None = None
    ) -> User | None:
        if self._peer is not None and certificate != self._peer:
            return None
        if self._password is not None:
            right = hmac.compare_digest((password or "").encode(), self._password)
            if not right or username != self._user:
                return None
        return User(role=UserRole.User, name=username)
