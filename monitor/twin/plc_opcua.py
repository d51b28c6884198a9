"""The simulated PLC as an OPC UA server: the tags of `monitor/actuators/tags.py` in a namespace of its own."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import structlog
from asyncua import Server, ua
from asyncua.common.callback import CallbackType

from config.actuators import OpcUaActuator
from config.opcua_server import OpcUaServer
from monitor.actuators import tags
from monitor.actuators.opcua_server import new_server
from monitor.actuators.tags import Tag
from monitor.rules.handshake import Mailbox
from monitor.twin.plc_program import PlcProgram

EMPTY = Mailbox(batch=0, results=())

log = structlog.get_logger()


@asynccontextmanager
async def serving(program: PlcProgram, facts: OpcUaActuator) -> AsyncIterator[None]:
    """Answers until the block ends. A stalled program answers still, as a PLC's interface does, with what it had."""
    # a bench's PLC: neither certificates nor users are asked for
    server = await new_server(OpcUaServer(host=facts.host, port=urlsplit(facts.url).port or 4840), name="PLC")
    nodes = await _laid_out(server, facts)
    front = _Front(program, server, nodes)
    server.subscribe_server_callback(CallbackType.PreRead, front.before_read)
    server.subscribe_server_callback(CallbackType.PostWrite, front.after_write)
    async with server:
        yield


class _Front:
    """Between the server's tags and the program: what is read is of now, and what was written is taken in."""

    def __init__(self, program: PlcProgram, server: Server, nodes: dict[str, ua.NodeId]) -> None:
        self._program, self._server, self._nodes = program, server, nodes
        self._ring = (0, 0)  # session and number of the last `Acted` that the ring shows
        self._refused = ""

    async def before_read(self, event: Any, _service: Any) -> None:
        if not event.is_external or self._program.faults.stalled:
            return
        with self._program.lock:
            status = self._program.status(time.monotonic_ns())
            acted = list(self._program.acted)
        values = tags.plc_values(status)
        if self._ring[0] != status.session:
            # at start: the line counts batches from our ack on, and a number that comes again would hide half a copy
            values[tags.MAILBOX.name] = [0] * tags.MAILBOX.size
        if self._ring != (status.session, status.acted_count):
            self._ring = (status.session, status.acted_count)
            values |= tags.acted_values(acted)
        by_name = {tag.name: tag for tag in (*tags.PLC_TAGS, *tags.ACTED_TAGS, tags.MAILBOX)}
        for name, value in values.items():
            await self._server.write_attribute_value(self._nodes[name], ua.DataValue(_variant(by_name[name], value)))

    async def after_write(self, event: Any, _service: Any) -> None:
        if not event.is_external:
            return
        values = {tag.name: self._held(tag) for tag in (*tags.LINE_TAGS, tags.MAILBOX)}
        try:
            line, mailbox = tags.read_line(values), tags.read_mailbox(values)
        except tags.TagError as error:
            if self._refused != str(error):  # it stays as it is until it is written again
                self._refused = str(error)
                log.warning("mailbox.refused", error=self._refused)
            return
        self._refused = ""
        with self._program.lock:
            self._program.written(line, mailbox or EMPTY, time.monotonic_ns())

    def _held(self, tag: Tag) -> tags.Value:
        found = self._server.iserver.aspace.read_attribute_value(self._nodes[tag.name], ua.AttributeIds.Value)
        value: tags.Value | None = None if found.Value is None else found.Value.Value
        return 0 if value is None else value


async def _laid_out(server: Server, facts: OpcUaActuator) -> dict[str, ua.NodeId]:
    """The node of each tag; only the line's own can be written."""
    index = await server.register_namespace(facts.namespace)
    folder = await server.nodes.objects.add_object(index, "Line")
    nodes = {}
    for tag in (*tags.PLC_TAGS, *tags.ACTED_TAGS, *tags.LINE_TAGS, tags.MAILBOX):
        node = await folder.add_variable(
            ua.NodeId(ua.String(facts.node.format(tag=tag.name)), ua.Int16(index)),
            ua.QualifiedName(tag.name, index),
            _variant(tag, [0] * tag.size if tag.size else 0).Value,
            ua.VariantType[tag.kind],
        )
        if tag in tags.LINE_TAGS or tag is tags.MAILBOX:
            await node.set_writable()
        nodes[tag.name] = node.nodeid
    return nodes


def _variant(tag: Tag, value: tags.Value) -> ua.Variant:
    kind = ua.VariantType[tag.kind]
    if tag.kind == "Boolean":
        return ua.Variant(bool(value), kind)
    return ua.Variant(value if isinstance(value, int) else list(value), kind)
