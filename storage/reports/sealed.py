"""Which signed checkpoint seals a part: the first that counts all of its rows."""

from collections.abc import Iterator
from datetime import UTC, datetime

from storage.projection import Cursor, before_break, stands_in
from storage.proof.check import Place, read_beside
from storage.proof.checkpoints import Checkpoint
from storage.reader import JournalReader
from storage.reports.asked import Asked
from storage.reports.page import Column, Fact, Gap, Part, Table
from storage.reports.part_rows import PartRows

OWN_HEAD = (
    "The proof ends in a head that this machine wrote itself: it shows any change made since that head was kept "
    "elsewhere, and none made before."
)
KEEP = "Keep this page, or the head in its footer, where nobody who can write the journal can write."


def seal_of(asked: Asked, reader: JournalReader, found: PartRows) -> Checkpoint | Gap:
    """The checkpoint, its signature and its head checked; what is missing where there is none.

    It lies between the last row of the part and the head of the page, so a later one never takes its place.
    """
    place = read_beside(asked.folder, asked.station.name)
    last = max((row.seq for row, _ in found.rows), default=found.end.seq)
    for sealing in (each for each in place.checkpoints if last <= each.size <= found.end.seq):
        signed = Cursor(sealing.size, bytes.fromhex(sealing.head))
        if stands_in(signed, reader):
            return sealing
        if before_break(signed, reader) is None:  # else its row was set aside, damaged: the next one seals the part
            return Gap(
                title="The journal is not the one that was signed",
                missing=f"Checkpoint {sealing.number} signed another hash of row {sealing.size}.",
                remedy="linectl verify --checkpoints names the first row that was replaced.",
            )
    return _unsigned(place, last)


def seal_fact(found: Checkpoint | Gap) -> Fact:
    if isinstance(found, Gap):
        return Fact(key="signed", title="Signed", value=None, note="no checkpoint counts its rows")
    return Fact(
        key="signed", title="Signed", value=f"checkpoint {found.number}", note=f"{_when(found.at)}, by key {found.key}"
    )


def seal_parts(found: Checkpoint | Gap) -> Iterator[Part]:
    if isinstance(found, Gap):
        yield found
        return
    yield Table(
        title="Signed",
        columns=(Column(key="fact", title="Fact"), Column(key="value", title="")),
        rows=(
            {"fact": "checkpoint", "value": str(found.number)},
            {"fact": "rows that it counts", "value": str(found.size)},
            {"fact": "hash of the last of them", "value": found.head},
            {"fact": "signed at", "value": _when(found.at)},
            {"fact": "by key", "value": found.key},
        ),
        note="Ed25519, checked with the public key beside the journal. Who keeps that key, or the second place of the "
        "checkpoints, elsewhere can check it without this machine: docs/proof.md.",
    )


def _unsigned(place: Place, last: int) -> Gap:
    signed = max((each.size for each in place.checkpoints), default=0)
    said = f"The last checkpoint counts {signed} rows, this part ends with row {last}. " if signed else ""
    return Gap(
        title="The head is not signed",
        missing=said + OWN_HEAD,
        remedy="The next checkpoint seals it: [proof] in the station file says when. " + KEEP,
    )


def _when(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns / 1e9, UTC).isoformat(timespec="seconds")
