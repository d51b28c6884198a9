"""From one checkpoint to the next: the chain is followed row by row, and only a head so reached is signed."""

import time
from collections.abc import Callable

from storage.chain import GENESIS, first_fault, hash_of
from storage.projection import Cursor, before_break, stands_in
from storage.proof.checkpoints import CheckpointFile
from storage.proof.keys import KeyFolder
from storage.reader import JournalReader

BEGINNING = Cursor(0, GENESIS)


class ProofRefused(Exception):
    """The journal is not the one that was signed, or its chain is broken: to sign it would cover that up."""


def signed_to(file: CheckpointFile) -> Cursor | None:
    """Up to where the journal is signed; None where there is no checkpoint. CheckpointFault: the last is none."""
    last = file.last()
    return None if last is None else Cursor(last.size, bytes.fromhex(last.head))


def seal(
    journal: JournalReader,
    file: CheckpointFile,
    keys: KeyFolder,
    signed: Cursor,
    *,
    stopping: Callable[[], bool] = lambda: False,
) -> Cursor:
    """Signs the journal's head, which follows what is signed already; where that is now.

    ProofRefused where it does not follow, KeyFault and CheckpointFault where nothing can be signed, OSError where
    nothing can be written. Told to stop, it signs as far as it has come.
    """
    head: Cursor | None = signed
    if signed.seq and not stands_in(signed, journal):
        head = before_break(signed, journal)  # the row that says so is signed with the rest, and verify names it
    if head is None:
        raise ProofRefused(f"row {signed.seq} was signed as {signed.hash.hex()}, and is not so any more: verify")
    while not stopping() and (page := journal.lines(head.seq)):
        if fault := first_fault(page, after=head.seq, previous=head.hash):
            raise ProofRefused(f"row {fault.seq}: {fault.fault}: {fault.found}, not {fault.expected}")
        head = Cursor(page[-1].seq, hash_of(page[-1]))
    file.add(keys.signing(), size=head.seq, head=head.hash, at=time.time_ns())
    return head
