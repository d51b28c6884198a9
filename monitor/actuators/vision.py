"""The line as an OPC UA server: the state machine of `monitor/rules/vision.py`, and an event for each part.

A thread of actuation's own process; what it is told waits in a short queue, and what finds that full is dropped and
counted, since a client that reads slowly must not keep a part waiting. Nothing that a client calls reaches the belt.
"""

import asyncio
import hashlib
import logging
import socket
import threading
import time
from collections import OrderedDict, deque
from datetime import UTC, datetime
from typing import Any

import structlog
from asyncua import ua
from asyncua.common.node import Node

from config.loader import package_path
from config.opcua_server import OpcUaServer
from config.station import Station
from monitor.actuators.opcua_server import new_server
from monitor.actuators.vision_nodes import Machine, argument
from monitor.lifeline import Go, Stop
from monitor.messages import Actuated, Disposition, Hold
from monitor.onlookers import News
from monitor.rules.vision import (
    NUMBERS,
    OPERATIONAL,
    OPERATIONAL_NUMBER,
    OUTER_NUMBERS,
    Job,
    Method,
    Refusal,
    Refused,
    State,
    Transition,
    VisionStates,
)

NAMESPACE = "urn:line-monitor:vision"
WAITING_MOST = 1000  # news
REMEMBERED = 10_000  # parts
AGAIN_S = 1.0  # until a port that is taken is tried again
LAST_WORD_S = 0.3  # for subscriptions to publish what they have
CLOSE_S = 1.0
TEXT_MOST = 64
COMPLETED = 1  # ResultState of the standard
OUTER = (Method.HALT, Method.RESET, Method.SELECT_AUTOMATIC)
STARTS = (Method.START_SINGLE, Method.START_CONTINUOUS)
KIND = ua.VariantType
RESULT_FIELDS = [
    ("IsPartial", KIND.Boolean), ("IsSimulated", KIND.Boolean), ("ResultState", KIND.Int32), ("ResultId", KIND.String),
    ("JobId", KIND.String), ("MeasId", KIND.String), ("PartId", KIND.String), ("InternalRecipeId", KIND.String),
    ("ProductId", KIND.String), ("CreationTime", KIND.DateTime), ("ResultContent", KIND.Variant),
]  # fmt: skip
CODES = {
    Refusal.INVALID_STATE: ua.StatusCodes.BadInvalidState,
    Refusal.NOT_SUPPORTED: ua.StatusCodes.BadNotSupported,
    Refusal.INVALID_ARGUMENT: ua.StatusCodes.BadInvalidArgument,
}
STATE_FIELDS = [("FromState", KIND.LocalizedText), ("ToState", KIND.LocalizedText), ("Transition", KIND.LocalizedText)]

log = structlog.get_logger()


class VisionServer:
    """An onlooker."""

    def __init__(self, station: Station, facts: OpcUaServer) -> None:
        logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)  # what fails is said by us, once
        self._station, self._facts = station, facts
        self._recipe = _sha256(station)
        self._states = VisionStates(run=f"{station.name}-{time.time_ns() // 1_000_000_000}", recipe=self._recipe)
        self._lock = threading.Lock()
        self._news: deque[News] = deque()
        self._dropped = 0
        self._is_closed = False
        self._loop = asyncio.new_event_loop()
        self._woken, self._over = asyncio.Event(), asyncio.Event()
        self._orders: OrderedDict[int, Disposition] = OrderedDict()
        self._reported: OrderedDict[int, None] = OrderedDict()
        self._machines: dict[str, Machine] = {}
        self._results: Any = None
        self._changes: Any = None
        self._thread = threading.Thread(target=self._keep_serving, name="vision", daemon=True)
        self._thread.start()

    def tell(self, news: News) -> None:
        with self._lock:
            if self._is_closed:
                return
            if len(self._news) >= WAITING_MOST:
                self._dropped += 1
                return
            self._news.append(news)
            if len(self._news) > 1:
                return  # whoever takes the first takes this one, too
        self._loop.call_soon_threadsafe(self._woken.set)

    def close(self) -> None:
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
        if not was_closed:
            self._loop.call_soon_threadsafe(self._over.set)
            self._loop.call_soon_threadsafe(self._woken.set)
            self._thread.join(CLOSE_S)

    def _keep_serving(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except Exception:
            log.exception("vision.ended")  # an onlooker's end is no reason to stop the line
        finally:
            self._loop.run_until_complete(self._swallow())
            self._loop.close()

    async def _serve(self) -> None:
        server = await new_server(self._facts)
        await self._lay_out(server)
        await self._port_is_free()
        if self._over.is_set():
            await server.iserver.stop()
            return
        async with server:
            log.info("vision.serves", host=self._facts.host, port=self._facts.port)
            over = False
            while not over:
                await self._woken.wait()
                self._woken.clear()
                over = self._over.is_set()  # asked before: what was told by then is still said
                for news in self._taken():
                    await self._hear(news)
            await asyncio.sleep(LAST_WORD_S)

    async def _swallow(self) -> None:
        """What is left to do where the server ended before the line did, and once both are over."""
        while not self._over.is_set():
            await self._woken.wait()
            self._woken.clear()
            self._taken()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _taken(self) -> list[News]:
        with self._lock:
            taken, dropped = list(self._news), self._dropped
            self._news.clear()
            self._dropped = 0
        if dropped:
            log.warning("vision.dropped", news=dropped)  # once for a burst
        return taken

    async def _hear(self, news: News) -> None:
        match news:
            case Go():
                self._states.line_goes()
            case Stop():
                self._states.line_stops()
            case Hold():
                if not self._states.held:
                    self._states.line_held(news.reason)
            case Disposition():
                _keep(self._orders, news.slot, news)
            case Actuated():
                await self._report(news)
        await self._say_moves()

    async def _report(self, actuated: Actuated) -> None:
        if actuated.slot in self._reported:
            return
        _keep(self._reported, actuated.slot, None)
        order = self._orders.pop(actuated.slot, None)
        if (job := self._states.part_done()) is not None:
            await self._result(job, actuated, order)

    async def _result(self, job: Job, actuated: Actuated, order: Disposition | None) -> None:
        event = self._results.event
        event.IsPartial, event.IsSimulated = False, self._station.twin is not None
        event.ResultState = COMPLETED
        event.ResultId = f"{self._station.name}/{actuated.slot}"  # the same where a part is reported again
        event.JobId, event.MeasId, event.ProductId = job.job_id, job.meas_id, job.product_id
        event.PartId = job.part_id or str(actuated.slot)
        event.InternalRecipeId = self._recipe
        event.CreationTime = datetime.now(UTC)
        area_mm2 = order.area_mm2 if order else None
        event.ResultContent = [
            ua.Variant(str(order.outcome) if order else "", KIND.String),
            ua.Variant(str(order.reason or "") if order else "", KIND.String),
            ua.Variant(None, KIND.Null) if area_mm2 is None else ua.Variant(area_mm2, KIND.Double),
            ua.Variant(str(actuated.gate), KIND.String),
        ]
        await self._results.trigger(message=f"slot {actuated.slot}")

    async def _say_moves(self) -> None:
        for moved in self._states.moved():
            await self._show(moved)
            event = self._changes.event
            event.FromState, event.ToState = ua.LocalizedText(moved.source), ua.LocalizedText(moved.target)
            event.Transition = ua.LocalizedText(moved.name)
            await self._changes.trigger(message=moved.name)

    async def _show(self, moved: Transition) -> None:
        inner, outer = self._machines["AutomaticModeStateMachine"], self._machines["VisionStateMachine"]
        await outer.show(OPERATIONAL if moved.target.is_operational else moved.target)
        await inner.show(moved.target if moved.target.is_operational else None)
        crosses = not (moved.source.is_operational and moved.target.is_operational)
        await (outer if crosses else inner).passed(moved)

    async def _call(self, method: Method, given: tuple[Any, ...]) -> Any:
        texts = [each.Value for each in given[:4]]
        if len(given) != (5 if method in STARTS else 0) or not all(_is_text(text) for text in texts):
            return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadInvalidArgument))
        meas_id, part_id, recipe, product = [*(text or "" for text in texts), "", "", "", ""][:4]
        try:
            job = self._states.call(method, meas_id=meas_id, part_id=part_id, recipe=recipe, product=product)
        except Refused as refused:
            log.info("vision.refused", method=method, why=str(refused))
            return ua.StatusCode(ua.UInt32(CODES[refused.refusal]))
        await self._say_moves()
        error = ua.Variant(0, KIND.Int32)
        return [ua.Variant(job, KIND.String), error] if method in STARTS else [error]

    async def _lay_out(self, server: Any) -> None:
        index = await server.register_namespace(NAMESPACE)
        system = await server.nodes.objects.add_object(index, "VisionSystem")
        outer_numbers = {str(state): number for state, number in OUTER_NUMBERS.items()}
        outer = await Machine.laid_out(
            system, index, "VisionStateMachine", outer_numbers | {OPERATIONAL: OPERATIONAL_NUMBER}
        )
        inner_numbers = {str(state): NUMBERS[state] for state in State if state.is_operational}
        inner = await Machine.laid_out(outer.node, index, "AutomaticModeStateMachine", inner_numbers)
        self._machines = {"VisionStateMachine": outer, "AutomaticModeStateMachine": inner}
        await outer.show(self._states.state)
        await inner.show(None)
        for method in Method:
            await self._offer(method, outer.node if method in OUTER else inner.node, index)
        results = await server.create_custom_event_type(index, "ResultReadyEventType", properties=RESULT_FIELDS)
        changes = await server.create_custom_event_type(index, "StateChangedEventType", properties=STATE_FIELDS)
        self._results = await server.get_event_generator(results, system)
        self._results.event.data_types["ResultContent"] = KIND.Variant  # it takes BaseDataType for nothing at all
        self._changes = await server.get_event_generator(changes, system)

    async def _offer(self, method: Method, machine: Node, index: int) -> None:
        async def called(_parent: ua.NodeId, *given: Any) -> Any:
            return await self._call(method, given)

        starts = method in STARTS
        texts = [argument(name, ua.ObjectIds.String) for name in ("MeasId", "PartId", "RecipeId", "ProductId")]
        inward = [*texts, argument("Parameters", ua.ObjectIds.BaseDataType, is_array=True)] if starts else []
        job = [argument("JobId", ua.ObjectIds.String)] if starts else []
        await machine.add_method(index, str(method), called, inward, [*job, argument("Error", ua.ObjectIds.Int32)])

    async def _port_is_free(self) -> None:
        """A server that could not listen is of no more use: so it begins when it can."""
        said = False
        while not self._over.is_set():
            try:
                socket.create_server((self._facts.host, self._facts.port)).close()
                return
            except OSError as error:
                if not said:
                    log.error("vision.no_port", host=self._facts.host, port=self._facts.port, error=str(error))
                said = True
                await asyncio.sleep(AGAIN_S)


def _is_text(value: Any) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= TEXT_MOST)


def _keep(kept: OrderedDict[int, Any], slot: int, value: Any) -> None:
    kept[slot] = value
    if len(kept) > REMEMBERED:
        kept.popitem(last=False)


def _sha256(station: Station) -> str:
    """Of the weights: the recipe's name. Whether they are those of the manifest, the worker says."""
    with package_path(station.model.weights).open("rb") as weights:
        return hashlib.file_digest(weights, "sha256").hexdigest()
