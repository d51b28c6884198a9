"""What if: another policy over the stored masks, which verdicts move, and whether that is better on what is labelled.

A mask holds what lay above the threshold of the net of then, so limits can be changed here, and thresholds or nets not.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from config.policy import LIMITS
from config.station import Station
from monitor.messages import Outcome
from storage.reader import JournalReader
from storage.reports.asked import Asked
from storage.reports.evidence import Named, photos
from storage.reports.figures import number, share
from storage.reports.judged import Truth, labelled_parts
from storage.reports.page import Cell, Column, Fact, Gap, Page, Part, Table, Text
from storage.reports.rejudged import UNITS, Move, NewLimits, Rejudged, load_limits, rejudge
from storage.statistics.missing import Missing
from storage.statistics.paired import McNemar, mcnemar

TITLE = "What if: other limits"
PHOTOS_MOST = 24
ROWS_MOST = 200  # on paper
CLEAR = (Truth.GOOD, Truth.DEFECTIVE)
RECKONED = (
    "Each stored verdict is judged again by the regions of its mask, with zones and calibration of its own run, "
    "under the limits of then and under the new ones. Zones keep their own limits where the file has no table "
    "[zones.NAME]. One that does not come out under the limits of then as it stands in the journal is left out and "
    "counted. Corrections are left aside: they say what became of a part, not what the limits said. McNemar's test "
    "asks whether the labelled frames on which the two policies differ fall to one side by more than chance; mid-p "
    "sees more, exact never claims too much."
)


def what_if(asked: Asked) -> Page:
    """Of the policy in `--policy`. Raises `ConfigError` where it is none."""
    period = asked.period()
    if asked.options.policy is None:
        gap = Gap(
            title="Which policy?",
            missing="No policy was given.",
            remedy="Copy the table [policy] of the station file into a file of its own, change it: --policy FILE.toml.",
        )
        return asked.page("what-if", TITLE, period, parts=[gap], row_count=0)
    limits = load_limits(asked.options.policy, asked.station)
    rows = asked.snapshot.labels.span(period)
    if rows is None:
        return asked.missing("what-if", TITLE, period)
    parts = labelled_parts(asked, period)
    truths = {frame.frame: truth for part in parts for frame in part.frames if (truth := part.truth_of(frame))}
    known = {frame: truth is Truth.DEFECTIVE for frame, truth in truths.items() if truth in CLEAR}
    with JournalReader(asked.folder) as reader:
        found = rejudge(
            reader,
            asked.station,
            limits,
            rows=rows,
            period=period,
            takes=asked.takes,
            asked=frozenset(known),
        )
        photos = list(_photos(asked, reader, found.moves))
    tested = _tested(found, known)
    moves = [_row(move, truths) for move in found.moves]
    return asked.page(
        "what-if",
        TITLE,
        period,
        facts=_facts(found, tested),
        parts=[
            _limits(asked.station, limits),
            _matrix(found),
            _moves(moves),
            *photos,
            *_gaps(found, tested),
            Text(title="How this is reckoned", text=RECKONED),
        ],
        rows=moves,
        row_count=found.judged,
        query=_query(limits),
    )


def _tested(found: Rejudged, known: dict[str, bool]) -> McNemar | Missing:
    """Whether each policy is right, on the labelled frames; `known` says which are defective."""
    frames = sorted(found.before)
    defective = np.array([known[frame] for frame in frames], np.bool_)
    before = np.array([found.before[frame] is Outcome.REJECT for frame in frames], np.bool_)
    after = np.array([found.after[frame] is Outcome.REJECT for frame in frames], np.bool_)
    return mcnemar(before == defective, after == defective)


def _facts(found: Rejudged, tested: McNemar | Missing) -> list[Fact]:
    none = Missing("no verdict of this period could be judged again")
    before = found.counts.get((Outcome.REJECT, Outcome.PASS), 0) + found.counts.get((Outcome.REJECT, Outcome.REJECT), 0)
    after = found.counts.get((Outcome.PASS, Outcome.REJECT), 0) + found.counts.get((Outcome.REJECT, Outcome.REJECT), 0)
    unmasked = f"{found.of_regions} of them judged by their stored regions" if found.of_regions else ""
    return [
        Fact(key="judged", title="Verdicts judged again", value=found.judged),
        Fact(key="moved", title="Would be others", value=len(found.moves)),
        Fact(key="to_reject", title="From pass to reject", value=found.counts.get((Outcome.PASS, Outcome.REJECT), 0)),
        Fact(key="to_pass", title="From reject to pass", value=found.counts.get((Outcome.REJECT, Outcome.PASS), 0)),
        share("rejected_before", "Rejected, then", before / found.judged if found.judged else none),
        share("rejected_after", "Rejected, with the new limits", after / found.judged if found.judged else none),
        Fact(key="no_mask", title="Without a stored mask", value=found.no_mask, note=unmasked),
        *_better(tested),
    ]


def _better(tested: McNemar | Missing) -> list[Fact]:
    """Of the labelled frames, on how many each policy is right."""
    if isinstance(tested, Missing):
        titles = {"right_before": "Right, then", "right_after": "Right, with the new limits", "p_mid": "McNemar, mid-p"}
        lacking = [number(key, title, tested) for key, title in titles.items()]
        return [Fact(key="labelled", title="Labelled frames", value=0), *lacking]
    return [
        Fact(key="labelled", title="Labelled frames", value=tested.parts),
        number("right_before", "Right, then", tested.both + tested.only_first),
        number("right_after", "Right, with the new limits", tested.both + tested.only_second),
        number("p_mid", "McNemar, mid-p", tested.p_mid, "of so large a difference by chance", digits=4),
        number("p_exact", "McNemar, exact", tested.p_exact, digits=4),
    ]


def _limits(station: Station, limits: NewLimits) -> Table:
    unit = limits.policy.unit
    names = [*(f"{name}_{unit}" for name in LIMITS), "grey_band"]
    rows: list[dict[str, Cell]] = [
        {"of": "the station", "limit": n, "before": getattr(station.policy, n), "after": getattr(limits.policy, n)}
        for n in names
    ]
    rows += [
        {
            "of": zone.name,
            "limit": n,
            "before": getattr(zone, n),
            "after": limits.zones.get(zone.name, {}).get(n, getattr(zone, n)),
        }
        for camera in station.cameras
        for zone in camera.zones
        if not zone.ignore
        for n in names
    ]
    return Table(
        title="Limits",
        columns=(
            Column(key="of", title="Of"),
            Column(key="limit", title="Limit"),
            Column(key="before", title="Now"),
            Column(key="after", title="New"),
        ),
        rows=tuple(rows),
        note=f"Areas in {UNITS[unit]}. A verdict of the period may have been given under older limits.",
    )


def _matrix(found: Rejudged) -> Table:
    ends = (Outcome.PASS, Outcome.REJECT)
    rows: list[dict[str, Cell]] = [
        {"then": str(one), "pass": found.counts.get((one, ends[0]), 0), "reject": found.counts.get((one, ends[1]), 0)}
        for one in ends
    ]
    return Table(
        title="Verdicts, then and with the new limits",
        columns=(
            Column(key="then", title="Then"),
            Column(key="pass", title="Now PASS"),
            Column(key="reject", title="Now REJECT"),
        ),
        rows=tuple(rows),
        note=f"Within the grey band, and so queued for a person: {found.grey_before} then, {found.grey_after} now. "
        f"Not judged by any limits: {found.unjudged} (not inspected).",
    )


def _row(move: Move, truths: dict[str, Truth]) -> dict[str, Cell]:
    truth = truths.get(move.frame)
    return {
        "row": move.seq,
        "frame": move.frame,
        "slot": move.slot,
        "camera": move.camera,
        "before": str(move.before),
        "after": str(move.after),
        "severity_before": move.severity_before,
        "severity_after": move.severity_after,
        "label": None if truth is None else str(truth),
        "crop_sha256": move.crop_sha256,
    }


def _moves(rows: list[dict[str, Cell]]) -> Part:
    if not rows:
        return Text(title="Verdicts that move", text="None.")
    keys = [key for key in rows[0] if key != "crop_sha256"]
    return Table(
        title="Verdicts that move",
        columns=tuple(
            Column(key=key, title=key.replace("_", " ").capitalize(), digits=3 if key.startswith("severity") else None)
            for key in keys
        ),
        rows=tuple({key: row[key] for key in keys} for row in rows[:ROWS_MOST]),
        note=f"The first {ROWS_MOST} of {len(rows)}; JSON has all." if len(rows) > ROWS_MOST else "",
    )


def _photos(asked: Asked, reader: JournalReader, moves: Sequence[Move]) -> Iterator[Part]:
    """The crop of the first region of each, as many as help to judge."""
    pictured = [
        Named(f"{move.frame}: {move.before} → {move.after}", move.seq, move.crop_sha256)
        for move in moves
        if move.crop_sha256
    ]
    yield from photos(asked, reader, pictured[:PHOTOS_MOST])
    if moves and not pictured:
        yield Text(title="Pictures", text="No crop of a verdict that moves was kept: specks get none.")


def _gaps(found: Rejudged, tested: McNemar | Missing) -> Iterator[Gap]:
    if found.no_mask > found.of_regions:
        yield Gap(
            title="No stored mask",
            missing=f"{found.no_mask - found.of_regions} verdicts with regions have no mask that can be read, and "
            "their camera has zones: which of them a region touches is not known.",
            remedy="Ask for a period whose masks are kept.",
        )
    if found.unlike:
        yield Gap(
            title="Not as it was",
            missing=f"{found.unlike} verdicts do not follow from their regions and the limits of their run: left out.",
            remedy="linectl verify tells whether a row was changed; another version may have judged otherwise.",
        )
    if isinstance(tested, Missing):
        yield Gap(
            title="Whether it is better",
            missing="No frame that was judged again has a label that says whether it is good.",
            remedy="Have the verdicts that move looked at, and some that do not: linectl labels import FILE.csv.",
        )


def _query(limits: NewLimits) -> dict[str, Cell]:
    zones = {f"{name}.{key}": limit for name, of in sorted(limits.zones.items()) for key, limit in of.items()}
    return {key: limit for key, limit in limits.policy.model_dump().items() if limit is not None} | zones
