"""The nodes of a finite state machine in an asyncua server: its states, where it is, and how it came there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from asyncua import ua
from asyncua.common.node import Node

from monitor.rules.vision import Transition

STATE_TYPE, MACHINE_TYPE = ua.NodeId(ua.Int32(2307)), ua.NodeId(ua.Int32(2771))  # of OPC 10000-16
ELSEWHERE = ua.StatusCode(ua.UInt32(ua.StatusCodes.BadStateNotActive))


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One of the two."""

    node: Node
    states: Mapping[str, Node]
    numbers: Mapping[str, int]
    current: Node
    current_id: Node
    current_number: Node
    last: Node
    last_number: Node
    last_time: Node

    @classmethod
    async def laid_out(cls, parent: Node, index: int, name: str, numbers: Mapping[str, int]) -> Self:
        kind = await Node(parent.session, MACHINE_TYPE).add_object_type(
            index, f"Vision{name.removeprefix('Vision')}Type"
        )
        node = await parent.add_object(index, name, objecttype=kind.nodeid, instantiate_optional=False)
        states = {}
        for state, number in numbers.items():
            states[state] = await node.add_object(index, str(state), objecttype=STATE_TYPE)
            held = await states[state].get_child("0:StateNumber")
            await held.write_value(ua.Variant(number, ua.VariantType.UInt32))
        current = await node.get_child("0:CurrentState")
        last = await node.add_variable(0, "LastTransition", ua.LocalizedText(""), ua.VariantType.LocalizedText)
        return cls(
            node=node,
            states=states,
            numbers=numbers,
            current=current,
            current_id=await current.get_child("0:Id"),
            current_number=await current.add_property(0, "Number", 0, ua.VariantType.UInt32),
            last=last,
            last_number=await last.add_property(0, "Number", 0, ua.VariantType.UInt32),
            last_time=await last.add_property(0, "TransitionTime", datetime.now(UTC), ua.VariantType.DateTime),
        )

    async def show(self, state: str | None) -> None:
        """Where the machine is; None: its state of states is left, and it is nowhere."""
        if state is None:
            nothing = ua.Variant(None, ua.VariantType.Null)
            for node in (self.current, self.current_id, self.current_number):
                await node.write_value(ua.DataValue(nothing, ELSEWHERE))
            return
        await self.current.write_value(ua.Variant(ua.LocalizedText(str(state)), ua.VariantType.LocalizedText))
        await self.current_id.write_value(ua.Variant(self.states[state].nodeid, ua.VariantType.NodeId))
        await self.current_number.write_value(ua.Variant(self.numbers[state], ua.VariantType.UInt32))

    async def passed(self, moved: Transition) -> None:
        """How it came there."""
        await self.last.write_value(ua.Variant(ua.LocalizedText(moved.name), ua.VariantType.LocalizedText))
        await self.last_number.write_value(ua.Variant(moved.number, ua.VariantType.UInt32))
        await self.last_time.write_value(ua.Variant(datetime.now(UTC), ua.VariantType.DateTime))


def argument(name: str, kind: int, *, is_array: bool = False) -> ua.Argument:
    """Of a method."""
    made = ua.Argument()
    made.Name = ua.String(name)
    made.DataType = ua.NodeId(ua.Int32(kind))
    made.ValueRank = ua.Int32(1 if is_array else -1)
    return made
