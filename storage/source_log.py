"""The trigger source's own account, read from its log: what was triggered, and what the gate did."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from config.cameras import TwinCamera
from config.station import Station
from config.timing import triggers_by_plc
from monitor.messages import Gate
from storage.faults import Fault, Finding


@dataclass
class Account:
    """What the source says."""

    gates: dict[int, Gate] = field(default_factory=dict)  # of parts that met the gate, by slot
    slots: dict[str, set[int]] = field(default_factory=dict)  # of each camera
    findings: list[Finding] = field(default_factory=list)
    is_here: bool = True  # False: a PLC that is none of ours counts, and its log lies with it

    def cameras_of(self, slot: int) -> list[str]:
        """The cameras that must see this part."""
        return [camera for camera, slots in self.slots.items() if slot in slots]

    def last(self, camera: str) -> int:
        return max(self.slots[camera], default=0)


class _Line(msgspec.Struct):
    """A line of the log; it says more than is needed here."""

    slot: int
    gate: Gate | None = None


def read_account(station: Station, folder: Path) -> Account:
    """The account for every camera of the station."""
    account = Account(is_here=not triggers_by_plc(station))
    if not account.is_here:
        return account
    if station.twin is not None:
        slots = set(_read(folder / "twin.jsonl", account))
        account.slots = {camera.name: slots for camera in station.cameras}
    else:
        for camera in station.cameras:
            if not isinstance(camera, TwinCamera):
                account.slots[camera.name] = set(_read(folder / f"source-{camera.name}.jsonl", account))
    return account


def _read(path: Path, account: Account) -> Iterator[int]:
    """The slots of a log; what is wrong with it is among the findings."""
    if not path.exists():
        return
    seen: set[int] = set()
    last: int | None = None
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):  # a line without its end is torn
        try:
            stated = msgspec.json.decode(line, type=_Line)
        except msgspec.MsgspecError as error:
            _find(account, Fault.SOURCE_UNREADABLE, f"{path.name} line {number}: {error}", "a JSON object with a slot")
            continue
        if stated.slot in seen:
            _find(account, Fault.SLOT_TWICE, f"{path.name} line {number}: slot {stated.slot}", "each slot once")
            continue
        if last is not None and stated.slot != last + 1:
            _find(account, Fault.SLOT_SKIPPED, f"{path.name} line {number}: slot {stated.slot}", f"slot {last + 1}")
        seen.add(stated.slot)
        last = stated.slot
        if stated.gate is not None:
            account.gates[stated.slot] = stated.gate
        yield stated.slot


def _find(account: Account, fault: Fault, found: str, expected: str) -> None:
    account.findings.append(Finding(fault=fault, store="source", frame=None, found=found, expected=expected))
