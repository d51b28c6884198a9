"""The live view in Redis: the last verdicts as a stream, counters, and the latest crops with a time to live.

    line:<station>:verdicts    stream, entry ids are the journal's seqs (`<seq>-0`), at most `stream_maxlen`
    line:<station>:counters    hash: triggers, passed, rejected, not_inspected, not_inspected:<reason>, effective
    line:<station>:runs        hash: verdicts of each run, those since trimmed too
    line:<station>:corrected   hash: seq of a corrected verdict → what it counts as now
    line:<station>:cursor      `<seq>:<hash>` of the last row taken in
    line:<station>:crop:<sha>  PNG, for `crop_ttl_s`

MULTI rolls nothing back, so the cursor is watched and compared before it: either all of a batch is taken in, or none.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import redis
import structlog
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry

from config.loader import ConfigError
from config.station import Live as Limits
from monitor.messages import Outcome
from monitor.rows import Body, CorrectionBody, Row, VerdictBody
from storage.projection import Cursor, Picture, StoreLost, bodies_of, following

TIMEOUT_S = 0.2
BATCH_ROWS = 200  # keeps a transaction within the timeout on a busy host
CROP_BYTES = 1 << 20  # a larger picture is looked at in the image store
RowOf = Callable[[int], Row | None]  # the journal's row of this seq
log = structlog.get_logger()


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the stream, as text; empty where there is nothing to say."""

    kind: str  # verdict, or correction
    frame: str
    slot: str
    outcome: str
    reason: str = ""
    camera: str = ""
    area_mm2: str = ""
    captured_at: str = ""
    latency_ms: str = ""
    crops: str = ""  # SHA-256 of the crops of its regions, separated by commas
    corrects: str = ""  # seq of the verdict that a correction is of


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What Redis holds of a station at one moment."""

    cursor: Cursor | None
    counters: dict[str, int]  # after corrections; none is 0
    entries: list[tuple[int, Entry]]  # with their seqs, newest first


class LiveStore:
    """One station's keys, `line:<station>:…`, and no others."""

    def __init__(self, url: str, station: str, limits: Limits, *, row: RowOf, picture: Picture) -> None:
        self._limits, self._row, self._picture = limits, row, picture
        self._verdicts, self._counters, self._runs, self._corrected, self._cursor, self._crop = (
            f"line:{station}:{key}" for key in ("verdicts", "counters", "runs", "corrected", "cursor", "crop")
        )
        self._redis = _open_client(url)

    def cursor(self) -> Cursor | None:
        with _lost():
            return _parse_cursor(self._redis.get(self._cursor))

    def project(self, rows: list[Row]) -> None:
        """Takes rows in, with counters and cursor, a batch in a MULTI; what is here already is passed over."""
        for first in range(0, len(rows), BATCH_ROWS):
            batch = rows[first : first + BATCH_ROWS]
            with _lost():
                self._show_crops([body for _, body in bodies_of(batch) if isinstance(body, VerdictBody)])
                self._take_in(batch)

    def restart(self) -> None:
        """Forgets everything: it comes again from the journal."""
        with _lost():
            self._redis.delete(self._cursor)

    def count(self, run: str) -> int:
        """The verdicts of a run that were taken in, those since trimmed too."""
        with _lost():
            return int(self._redis.hget(self._runs, run) or 0)

    def runs(self) -> dict[str, int]:
        """Verdicts of each run that were taken in."""
        with _lost():
            return {_text(key): int(number) for key, number in self._redis.hgetall(self._runs).items()}

    def snapshot(self, most: int) -> Snapshot:
        """Cursor, totals and the newest entries, of one moment."""
        with _lost(), self._redis.pipeline(transaction=True) as pipe:
            pipe.get(self._cursor)
            pipe.hgetall(self._counters)
            pipe.xrevrange(self._verdicts, count=most)
            at, counters, found = pipe.execute()
        entries = [
            (
                int(_text(entry_id).partition("-")[0]),
                msgspec.convert({_text(key): _text(value) for key, value in fields.items()}, Entry),
            )
            for entry_id, fields in found
        ]
        totals = {_text(key): number for key, stated in counters.items() if (number := int(stated))}
        return Snapshot(cursor=_parse_cursor(at), counters=totals, entries=entries)

    def close(self) -> None:
        self._redis.close()

    def _take_in(self, rows: list[Row]) -> None:
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.watch(self._cursor)  # type: ignore[no-untyped-call]
            at = _parse_cursor(pipe.get(self._cursor))
            new = following(at, rows)
            if not new:
                return
            taken = bodies_of(new)
            corrected = self._corrections(pipe, taken)
            pipe.multi()
            if at is None:  # a cursor that was lost alone leaves a stream that refuses its own ids
                pipe.delete(self._verdicts, self._counters, self._runs, self._corrected)
            for row, entry in _entries(taken):
                pipe.xadd(
                    self._verdicts,
                    {key: text for key, text in msgspec.structs.asdict(entry).items() if text},
                    id=f"{row.seq}-0",
                    maxlen=self._limits.stream_maxlen,
                    approximate=False,
                )
            for key, number in _totals(taken, corrected).items():
                pipe.hincrby(self._counters, key, number)
            for run, number in Counter(body.run for _, body in taken if isinstance(body, VerdictBody)).items():
                pipe.hincrby(self._runs, run, number)
            for row, body in taken:
                if isinstance(body, CorrectionBody):
                    pipe.hset(self._corrected, str(body.corrects), _ending(row))
            last = new[-1]
            pipe.set(self._cursor, f"{last.seq}:{last.hash.hex()}")
            pipe.execute()

    def _corrections(self, pipe: Pipeline, taken: list[tuple[Row, Body]]) -> dict[int, str]:
        """What each verdict that these rows correct counted as before: `OUTCOME:reason`."""
        before: dict[int, str] = {}
        for _, body in taken:
            if isinstance(body, CorrectionBody):
                stated: Any = pipe.hget(self._corrected, str(body.corrects))
                verdict = None if stated else self._row(body.corrects)
                before[body.corrects] = _text(stated) if stated else _ending(verdict) if verdict else ""
        return before

    def _show_crops(self, verdicts: list[VerdictBody]) -> None:
        """The crops of verdicts young enough to be looked at; shed where the server has no room for them."""
        oldest = time.time_ns() - self._limits.crop_ttl_s * 1_000_000_000
        regions = [region for body in verdicts if body.decided_at > oldest for region in body.regions]
        named = {sha256 for region in regions for sha256 in (region.crop_sha256, region.mask_sha256) if sha256}
        with self._redis.pipeline(transaction=False) as pipe:
            for sha256 in named:
                if (png := self._picture(sha256)) is not None and len(png) <= CROP_BYTES:
                    pipe.set(f"{self._crop}:{sha256}", png, ex=self._limits.crop_ttl_s)
            try:
                pipe.execute()
            except redis.ResponseError as error:
                log.warning("live.crops_shed", crops=len(named), error=str(error))


def _open_client(url: str) -> redis.Redis:
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),  # the recorder comes back by itself
        )
    except (ValueError, redis.RedisError) as error:
        raise ConfigError(f"LINE_REDIS_URL: {error}") from error


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise StoreLost(f"live: {error}") from error


def _entries(rows: list[tuple[Row, Body]]) -> Iterator[tuple[Row, Entry]]:
    for row, body in rows:
        match body:
            case VerdictBody():
                crops = ",".join(region.crop_sha256 for region in body.regions if region.crop_sha256)
                yield (
                    row,
                    msgspec.structs.replace(
                        _entry(row),
                        camera=body.camera,
                        area_mm2="" if body.area_mm2 is None else f"{body.area_mm2:.3f}",
                        captured_at=str(body.captured_at),
                        latency_ms="" if body.latency_ms is None else f"{body.latency_ms:.3f}",
                        crops=crops,
                    ),
                )
            case CorrectionBody():
                yield row, msgspec.structs.replace(_entry(row), corrects=str(body.corrects))
            case _:
                pass


def _entry(row: Row) -> Entry:
    return Entry(
        kind=str(row.kind),
        frame=row.frame or "",
        slot="" if row.slot is None else str(row.slot),
        outcome=str(row.outcome or ""),
        reason=str(row.reason or ""),
    )


def _totals(rows: list[tuple[Row, Body]], corrected: dict[int, str]) -> Counter[str]:
    """How these rows move the counters; a correction takes back what its verdict counted as."""
    totals: Counter[str] = Counter()
    ended = dict(corrected)
    for row, body in rows:
        match body:
            case VerdictBody():
                totals["triggers"] += 1
                totals.update(_keys(_ending(row)))
            case CorrectionBody():
                totals.subtract(_keys(ended[body.corrects]))
                totals.update(_keys(_ending(row)))
                ended[body.corrects] = _ending(row)
            case _:
                pass
    return Counter({key: number for key, number in totals.items() if number})


def _keys(ending: str) -> list[str]:
    outcome, _, reason = ending.partition(":")
    match outcome:
        case Outcome.PASS:
            return ["passed"]
        case Outcome.REJECT:
            return ["rejected"]
        case Outcome.NOT_INSPECTED:
            return ["not_inspected", f"not_inspected:{reason}"]
        case _:
            return []


def _ending(row: Row) -> str:
    return f"{row.outcome or ''}:{row.reason or ''}"


def _parse_cursor(stated: Any) -> Cursor | None:
    """What the cursor key holds; None where it holds nothing that we wrote."""
    seq, _, digest = _text(stated or b"").partition(":")
    return Cursor(int(seq), bytes.fromhex(digest)) if seq.isdecimal() else None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
