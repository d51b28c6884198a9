"""`linectl verify`: holds the journal against itself, the trigger source, the gate and every store; names each fault.

What is read first can only lag behind what is read later: stores' cursors, then the source, then the journal.
A line that runs may have parts open and stores behind; those are counted (`checked`), and no fault.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from config.loader import state_folder
from config.station import Station
from monitor.messages import Gate, Outcome
from storage.evidence import Evidence, Verdict, read_evidence
from storage.faults import Fault, Finding
from storage.proof.aside import check_aside
from storage.proof.check import Place, check_proof, proof_counts, read_beside, read_copy
from storage.proof.checkpoints import second_place
from storage.reader import JournalReader
from storage.source_log import Account, read_account
from storage.verify_archive import check_archive
from storage.verify_stores import StoreCase, check_audit, check_images, check_live, open_stores

OPEN_ROWS = 1000  # while the line runs, what the last rows leave open may still be closed
OPEN_SLOTS = 1000


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, and what is wrong with it."""

    ok: bool
    checked: dict[str, int | str]
    rows: list[Finding]


@dataclass
class Case:
    """Everything a check looks at."""

    folder: Path
    evidence: Evidence
    account: Account
    running: bool
    stores: StoreCase
    beside: Place  # checkpoints
    copy: Place | None
    checked: dict[str, int | str] = field(default_factory=dict)


def verify(station: Station, live_url: str | None, *, checkpoints: Path | None = None) -> Report:
    """Runs every check. `live_url` is a Redis that is up; None leaves it out.

    `checkpoints` is the second place of the signed checkpoints, where it is not the one that the station names.
    """
    folder = state_folder(station)
    running = is_running(folder)
    with JournalReader(folder) as reader, open_stores(station, folder, reader, live_url) as stores:
        elsewhere = checkpoints or second_place(station)
        copy = read_copy(elsewhere, station.name) if elsewhere else None  # before the other: it may only lag behind it
        beside = read_beside(folder, station.name)
        account = read_account(station, folder)
        evidence = read_evidence(reader)
        stores.evidence, stores.running = evidence, running
        case = Case(
            folder, evidence=evidence, account=account, running=running, stores=stores, beside=beside, copy=copy
        )
        findings = [*account.findings, *check_archive(folder / "journal"), *evidence.findings]
        if evidence.readable:  # what cannot be read would only be found missing everywhere else
            findings += [finding for check in CHECKS for finding in check(case)]
        else:
            findings += beside.findings + (copy.findings if copy else [])
        checked = _counts(case) | case.checked | stores.checked | proof_counts(beside, copy, evidence.head.seq)
        return Report(ok=not findings, checked=checked, rows=findings)


def is_running(folder: Path) -> bool:
    """Whether a supervisor holds the station's lock."""
    try:
        lock = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def check_source(case: Case) -> Iterator[Finding]:
    """There is an account of what was triggered, if anything was inspected."""
    if not case.account.is_here:
        yield from _holes(case)
        return
    for camera in {verdict.camera for verdict in case.evidence.verdicts.values()}:
        if not case.account.slots.get(camera):
            yield Finding(
                fault=Fault.SOURCE_MISSING,
                store="source",
                frame=None,
                found=f"verdicts of {camera}, and no trigger of it",
                expected="the source's log in the state folder",
            )


def _holes(case: Case) -> Iterator[Finding]:
    """Where a PLC's own log would have to be asked, its numbers at least have no holes."""
    slots: dict[str, set[int]] = {}
    for verdict in case.evidence.verdicts.values():
        slots.setdefault(verdict.camera, set()).add(verdict.slot)
    for camera, here in slots.items():
        last = max(here) - (OPEN_SLOTS if case.running else 0)
        for slot in sorted(set(range(min(here), last)) - here):
            yield Finding(
                fault=Fault.TRIGGER_WITHOUT_VERDICT,
                store="journal",
                frame=None,
                found=f"slot {slot} of {camera} has none, and later ones have",
                expected="a verdict; the next start of the line closes what was open",
            )


def check_triggers(case: Case) -> Iterator[Finding]:
    """I1: every trigger has its verdict."""
    for camera, slots in case.account.slots.items():
        last = case.account.last(camera)
        for slot in sorted(slots):
            if camera in case.evidence.parts.get(slot, {}):
                continue
            if case.running and slot > last - OPEN_SLOTS:
                _count(case, "open")
                continue
            yield Finding(
                fault=Fault.TRIGGER_WITHOUT_VERDICT,
                store="journal",
                frame=None,
                found=f"slot {slot} of {camera} has none",
                expected="a verdict; the next start of the line closes what was open",
            )


def check_verdicts(case: Case) -> Iterator[Finding]:
    """I1: every verdict has its trigger. The source may not have written the last ones yet, nor after a kill."""
    for verdict in case.evidence.verdicts.values():
        slots = case.account.slots.get(verdict.camera, set())
        if verdict.slot in slots or not slots:
            continue
        if verdict.slot > case.account.last(verdict.camera) and not _settled(case, verdict.seq):
            _count(case, "ahead_of_source")
            continue
        yield Finding(
            fault=Fault.VERDICT_WITHOUT_TRIGGER,
            store="source",
            frame=verdict.frame,
            found=f"no slot {verdict.slot} of {verdict.camera}",
            expected="a trigger",
        )


def check_order(case: Case) -> Iterator[Finding]:
    """I4: the gate opens after the PASS of every camera is a row."""
    for slot, act in case.evidence.acts.items():
        if act.gate is not Gate.RELEASED and act.commanded is not Outcome.PASS:
            continue
        verdicts = case.evidence.parts.get(slot, {})
        for camera in case.account.cameras_of(slot) or list(verdicts):
            verdict = verdicts.get(camera)
            if verdict is None or verdict.original[0] != Outcome.PASS or verdict.seq > act.seq:
                yield Finding(
                    fault=Fault.RELEASED_BEFORE_DURABLE,
                    store="gate",
                    frame=verdict.frame if verdict else None,
                    found=f"slot {slot} by row {act.seq}, {camera}: {_said(verdict)}",
                    expected=f"a PASS of {camera} in a row before",
                )


def check_gate(case: Case) -> Iterator[Finding]:
    """I2: what was released had passed everywhere; what passed was released, or is corrected."""
    for slot in sorted(case.evidence.acts.keys() | case.account.gates.keys()):
        act, gate = case.evidence.acts.get(slot), case.account.gates.get(slot)
        if act and gate and act.gate not in {gate, Gate.NONE}:
            yield _of_gate(Fault.GATE_DIFFERS, slot, None, f"{act.gate} by row {act.seq}", f"{gate}, says the source")
        gate = gate or (act.gate if act else None)
        verdicts = case.evidence.parts.get(slot, {})
        if gate is Gate.RELEASED:
            yield from _released(case, slot, verdicts)
        elif gate is Gate.REJECTED and act and _passed(case, slot, verdicts) and not _fresh(case, act.seq):
            for verdict in verdicts.values():
                yield _of_gate(Fault.PASS_REJECTED, slot, verdict, "PASS, and the gate rejected it", "a correction")


def check_confirmed(case: Case) -> Iterator[Finding]:
    """I4: a start of the line leaves no PASS behind of which the gate's word is unknown."""
    for slot, verdicts in case.evidence.parts.items():
        if slot in case.evidence.acts or not _passed(case, slot, verdicts):
            continue
        newest = max(verdict.seq for verdict in verdicts.values())
        if not _settled(case, newest):
            _count(case, "unconfirmed")
            continue
        expected = "an actuated row, or a correction"
        for verdict in verdicts.values():
            yield _of_gate(Fault.PASS_UNCONFIRMED, slot, verdict, "PASS, and no word of the gate", expected)


CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    lambda case: check_proof(case.beside, case.copy, case.stores.reader, case.evidence.head.seq),
    lambda case: check_aside(case.folder, case.evidence.breaks, [case.beside, *([case.copy] if case.copy else [])]),
    check_source,
    check_triggers,
    check_verdicts,
    check_order,
    check_gate,
    check_confirmed,
    lambda case: check_audit(case.stores),
    lambda case: check_images(case.stores),
    lambda case: check_live(case.stores),
)


def _released(case: Case, slot: int, verdicts: dict[str, Verdict]) -> Iterator[Finding]:
    for camera in case.account.cameras_of(slot) or list(verdicts):
        verdict = verdicts.get(camera)
        found = f"released; {camera}: {_said(verdict)}"
        match verdict.effective[0] if verdict else None:
            case Outcome.PASS:
                pass
            case Outcome.REJECT:
                yield _of_gate(Fault.RELEASED_REJECTED, slot, verdict, found, "rejected")
            case _:
                yield _of_gate(Fault.RELEASED_UNINSPECTED, slot, verdict, found, "rejected")


def _passed(case: Case, slot: int, verdicts: dict[str, Verdict]) -> bool:
    """Whether the part counts as passed: by every camera that must see it."""
    cameras = case.account.cameras_of(slot) or list(verdicts)
    return bool(cameras) and all(
        camera in verdicts and verdicts[camera].effective[0] == Outcome.PASS for camera in cameras
    )


def _settled(case: Case, seq: int) -> bool:
    """Whether the line was started again since this row, and has had the time to settle what it found."""
    started = case.evidence.started_after(seq)
    return started is not None and not _fresh(case, started)


def _fresh(case: Case, seq: int) -> bool:
    """Whether what this row leaves open may still be closed by a line that runs."""
    return case.running and seq > case.evidence.head.seq - OPEN_ROWS


def _of_gate(fault: Fault, slot: int, verdict: Verdict | None, found: str, expected: str) -> Finding:
    frame = verdict.frame if verdict else None
    return Finding(fault=fault, store="gate", frame=frame, found=f"slot {slot}: {found}", expected=expected)


def _said(verdict: Verdict | None) -> str:
    if verdict is None:
        return "no verdict"
    outcome, reason = verdict.effective
    return f"{outcome}{f'({reason})' if reason else ''} of row {verdict.seq}"


def _count(case: Case, name: str) -> None:
    case.checked[name] = int(case.checked.get(name, 0)) + 1


def _counts(case: Case) -> dict[str, int | str]:
    evidence = case.evidence
    return {
        "rows": evidence.rows,
        "verdicts": len(evidence.verdicts),
        "corrections": evidence.corrections,
        "actuated": len(evidence.gates),
        "runs": len(evidence.runs),
        "triggers": sum(len(slots) for slots in case.account.slots.values()),
        "running": "yes" if case.running else "no",
    }
