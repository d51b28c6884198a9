"""Who visits the line's OPC UA server: a plain asyncua client that browses, calls and listens."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asyncua import Client, ua
from asyncua.common.node import Node

from monitor.actuators.vision import NAMESPACE

UP_S = 60.0
PUBLISH_MS = 50


class Visitor:
    """Inside; `heard` fills with what was published."""

    def __init__(self, client: Client, index: int, system: Node, outer: Node) -> None:
        self.client, self.index, self.system, self.outer = client, index, system, outer
        self.heard: list[Any] = []

    async def listen(self, *kinds: str) -> None:
        events = [await self.client.nodes.base_event_type.get_child(f"{self.index}:{kind}") for kind in kinds]
        subscription = await self.client.create_subscription(PUBLISH_MS, self)
        await subscription.subscribe_events(self.system, events)

    def event_notification(self, event: Any) -> None:
        self.heard.append(event)

    async def until(self, number: int, *, within_s: float = 10.0) -> list[Any]:
        async with asyncio.timeout(within_s):
            while len(self.heard) < number:
                await asyncio.sleep(0.02)
        return self.heard

    async def inner(self) -> Node:
        return await self.outer.get_child(f"{self.index}:AutomaticModeStateMachine")

    async def state(self, machine: Node) -> str:
        """Its name; the status code's where it has none."""
        found = await (await machine.get_child("0:CurrentState")).read_data_value(raise_on_bad_status=False)
        if found.StatusCode is not None and not found.StatusCode.is_good():
            return found.StatusCode.name
        return str(found.Value.Value.Text) if found.Value is not None else ""

    async def until_state(self, machine: Node, name: str) -> None:
        async with asyncio.timeout(10.0):
            while await self.state(machine) != name:
                await asyncio.sleep(0.02)

    async def call(self, machine: Node, method: str, *given: Any) -> Any:
        """What came back; the status code's name where it was refused."""
        try:
            return await machine.call_method(f"{self.index}:{method}", *given)
        except ua.UaStatusCodeError as error:
            return type(error).__name__


@asynccontextmanager
async def visiting(port: int, *, within_s: float = UP_S) -> AsyncIterator[Visitor]:
    """Knocks until somebody opens."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)
    async with asyncio.timeout(within_s):
        while True:
            client = Client(f"opc.tcp://127.0.0.1:{port}")
            try:
                await client.connect()
                break
            except OSError:
                await asyncio.sleep(0.1)
    try:
        index = await client.get_namespace_index(NAMESPACE)
        system = await client.nodes.objects.get_child(f"{index}:VisionSystem")
        yield Visitor(client, index, system, await system.get_child(f"{index}:VisionStateMachine"))
    finally:
        await client.disconnect()


def no_parameters() -> ua.Variant:
    return ua.Variant([], ua.VariantType.Variant)
