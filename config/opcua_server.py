"""The line's own OPC UA server: where it listens, and who may connect."""

from collections.abc import Iterator

from pydantic import Field

from config.base import Table
from config.remote import Certificates, Login, Resolve, leaves_host, remote_problems


class OpcUaServer(Table):
    """Says over OPC UA what becomes of each part, after the state machine of OPC 40100-1."""

    host: str = Field(default="127.0.0.1", min_length=1, max_length=253)  # to listen on
    port: int = Field(default=4840, ge=1, le=65_535)
    login: Login | None = None  # that clients must have
    certificates: Certificates | None = None  # ours, and the one client's that may connect

    def problems(self, resolve: Resolve) -> Iterator[tuple[str, str]]:
        """(key, what is wrong) of who may connect."""
        yield from remote_problems(self.host, self.login, self.certificates, resolve)
        if leaves_host(self.host) and self.login is not None and self.certificates is None:
            yield "certificates", f"is missing, but {self.host!r} is open to others: passwords would come in the clear"
