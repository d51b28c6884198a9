"""What `linectl verify` can find: each fault is one fixed word."""

from enum import StrEnum

import msgspec


class Fault(StrEnum):
    """The words; they are never renamed, since people script them."""

    # of the journal itself
    JOURNAL_UNREADABLE = "journal_unreadable"  # a file of it cannot be read
    SEQ_HOLE = "seq_hole"  # rows are missing
    HASH_BROKEN = "hash_broken"  # a row was edited or replaced
    ROW_UNREADABLE = "row_unreadable"  # a row's words or body are none of ours
    VERDICT_MALFORMED = "verdict_malformed"  # NOT_INSPECTED without a reason, a frame that is not its camera's, …
    VERDICT_TWICE = "verdict_twice"  # a trigger ended twice
    CORRECTION_DANGLING = "correction_dangling"  # it corrects no verdict of its frame
    PURGED_WHILE_HELD = "purged_while_held"  # a picture expired though a legal hold was on it
    JOURNAL_SET_ASIDE = "journal_set_aside"  # a part of it was found damaged, and lies aside; some rows are lost
    SET_ASIDE_MISSING = "set_aside_missing"  # that part is not where the journal says: this is no damage, but a cut
    ARCHIVE_MISSING = "archive_missing"  # an archived file of it, or a part of one, is gone
    ARCHIVE_CHANGED = "archive_changed"  # one is not what its manifest says, or holds other rows
    # of the journal against the trigger source (I1)
    SOURCE_MISSING = "source_missing"  # there are verdicts, and no log of what was triggered
    SOURCE_UNREADABLE = "source_unreadable"  # a line of it is none
    SLOT_TWICE = "slot_twice"  # the source names a slot twice
    SLOT_SKIPPED = "slot_skipped"  # the source leaves slots out
    TRIGGER_WITHOUT_VERDICT = "trigger_without_verdict"
    VERDICT_WITHOUT_TRIGGER = "verdict_without_trigger"
    # of what became of the parts (I2, I4)
    RELEASED_BEFORE_DURABLE = "released_before_durable"  # the gate opened before every camera's PASS was a row
    RELEASED_UNINSPECTED = "released_uninspected"
    RELEASED_REJECTED = "released_rejected"
    PASS_REJECTED = "pass_rejected"  # noqa: S105 - the gate rejected a part that still counts as passed
    PASS_UNCONFIRMED = "pass_unconfirmed"  # noqa: S105 - the line was started again, and the gate's word never came
    GATE_DIFFERS = "gate_differs"  # the journal and the source say different things of the gate
    # of a store against the journal
    STORE_LOST = "store_lost"  # it cannot be asked
    STORE_FOREIGN = "store_foreign"  # its cursor is of another journal, or ahead of this one
    STORE_BEHIND = "store_behind"  # nothing runs, and rows have not arrived
    ROW_MISSING = "row_missing"  # the journal has a row that the store lacks
    ROW_UNKNOWN = "row_unknown"  # the store has a row that the journal lacks
    ROW_DIFFERS = "row_differs"
    COUNT_DIFFERS = "count_differs"
    IMAGE_MISSING = "image_missing"  # a row names a picture that is nowhere
    IMAGE_UNPURGED = "image_unpurged"  # a picture that has expired, and is there still
    IMAGE_CORRUPT = "image_corrupt"  # a picture whose bytes are not those its name states
    # of the journal against its signed checkpoints (I8), and of these
    JOURNAL_CUT = "journal_cut"  # it has fewer rows than were signed: its end was cut off, or an old copy put back
    HISTORY_REWRITTEN = "history_rewritten"  # its chain holds, and is not the one that was signed
    CHECKPOINT_UNREADABLE = "checkpoint_unreadable"  # a line is no checkpoint
    CHECKPOINT_FORGED = "checkpoint_forged"  # its signature is not its key's
    CHECKPOINT_MISSING = "checkpoint_missing"  # one was left out, or the last were
    CHECKPOINT_DIFFERS = "checkpoint_differs"  # the two places do not say the same
    KEY_FOREIGN = "key_foreign"  # no key of this station has vouched for it
    KEY_RETIRED = "key_retired"  # it signed when the key after it was in force


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One fault, where it is, and what would have been right."""

    fault: Fault
    store: str  # journal, archive, source, gate, audit, images, live, checkpoints, copy, aside
    frame: str | None
    found: str
    expected: str
