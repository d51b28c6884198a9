"""The live view in Redis: the last verdicts as a stream, counters, and the latest crops with a time to live.

    line:<station>:verdicts    stream, entry ids are the journal's seqs (`<seq>-0`), at most `stream_maxlen`
    line:<station>:counters    hash: triggers, passed, rejected, not_inspected, not_inspected:<reason>, effective
    line:<station>:runs        hash: verdicts of each run, those since trimmed too
    line:<station>:corrected   hash: seq of a corrected verdict → what it counts as now
    line:<station>:cursor      `<seq>:<hash>` of the last row taken in
    line:<station>:epoch       another word each time all of this was made anew: who reads then begins anew too
    line:<station>:crop:<sha>  PNG, for `crop_ttl_s`

MULTI rolls nothing back, so the cursor is watched and compared before it: either all of a batch is taken in, or none.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
import redis
import structlog
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry

from config.loader import ConfigError
from config.station import Live as Limits
from monitor.rows import Body, CorrectionBody, Row, VerdictBody
from storage.live_crops import LiveCrops
from storage.live_entries import Entry, ending, entries, totals
from storage.projection import Cursor, Picture, StoreLost, bodies_of, following

TIMEOUT_S = 0.05  # for one answer; the recorder has other things to do, and comes back (breaker.py)
PATIENT_S = 2.0  # for those who are asked by a person, and have nothing else to do
BATCH_ROWS = 100  # keeps a transaction within the timeout on a busy host
RowOf = Callable[[int], Row | None]  # the journal's row of this seq
log = structlog.get_logger()


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What Redis holds of a station at one moment."""

    cursor: Cursor | None
    counters: dict[str, int]  # after corrections; none is 0
    entries: list[tuple[int, Entry]]  # with their seqs, newest first
    epoch: str = ""


class Seed(NamedTuple):
    """What a server that has lost everything begins with, all of it as it stood at one row of the journal."""

    cursor: Cursor
    counters: dict[str, int]
    runs: dict[str, int]
    corrected: dict[int, str]  # seq of each verdict that may be corrected again → what it counts as


class LiveStore:
    """One station's keys, `line:<station>:…`, and no others."""

    def __init__(
        self, url: str, station: str, limits: Limits, *, row: RowOf, picture: Picture, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._limits, self._row = limits, row
        self._verdicts, self._counters, self._runs, self._corrected, self._cursor, self._epoch, crop = (
            f"line:{station}:{key}" for key in ("verdicts", "counters", "runs", "corrected", "cursor", "epoch", "crop")
        )
        self._redis = _open_client(url, timeout_s)
        self._crops = LiveCrops(self._redis, crop, limits.crop_ttl_s, picture)

    def cursor(self) -> Cursor | None:
        with _lost():
            return _parse_cursor(self._redis.get(self._cursor))

    def project(self, rows: list[Row]) -> None:
        """Takes rows in, with counters and cursor, a batch in a MULTI; what is here already is passed over."""
        for first in range(0, len(rows), BATCH_ROWS):
            batch = rows[first : first + BATCH_ROWS]
            with _lost():
                self._crops.show([body for _, body in bodies_of(batch) if isinstance(body, VerdictBody)])
                try:
                    self._take_in(batch)
                except redis.OutOfMemoryError as error:
                    self._crops.shed(str(error))  # they go first, and make room
                    self._take_in(batch)

    def restart(self) -> None:
        """Forgets everything: it comes again from the journal."""
        with _lost():
            self._redis.delete(self._cursor)

    def plant(self, seed: Seed, pages: Iterable[list[Row]]) -> None:
        """Begins anew at the seed's row; `pages` are the rows up to it that the stream has room for.

        Broken off, it leaves no cursor, and so begins anew the next time.
        """
        with _lost():
            self._redis.delete(self._cursor)
            self._redis.delete(self._verdicts, self._counters, self._runs, self._corrected)
            for page in pages:
                for first in range(0, len(page), BATCH_ROWS):
                    with self._redis.pipeline(transaction=False) as pipe:
                        self._add_entries(pipe, bodies_of(page[first : first + BATCH_ROWS]))
                        pipe.execute()
            corrected: dict[Any, str] = {str(seq): ended for seq, ended in seed.corrected.items()}
            facts: tuple[tuple[str, dict[Any, Any]], ...] = (
                (self._counters, dict(seed.counters)),
                (self._runs, dict(seed.runs)),
                (self._corrected, corrected),
            )
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.watch(self._cursor)  # type: ignore[no-untyped-call]
                if pipe.get(self._cursor) is not None:
                    raise StoreLost("live: another recorder was quicker")
                pipe.multi()
                for key, mapping in facts:
                    if mapping:
                        pipe.hset(key, mapping=mapping)
                self._begin_epoch(pipe)
                pipe.set(self._cursor, _stated(seed.cursor))
                pipe.execute()

    def wipe(self) -> int:
        """Deletes every key of the station, the cursor first; how many."""
        with _lost():
            keys = (self._cursor, self._verdicts, self._counters, self._runs, self._corrected, self._epoch)
            return sum(int(self._redis.delete(key)) for key in keys) + self._crops.delete()

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
            pipe.get(self._epoch)
            at, counters, found, epoch = pipe.execute()
        shown = [
            (
                int(_text(entry_id).partition("-")[0]),
                msgspec.convert({_text(key): _text(value) for key, value in fields.items()}, Entry),
            )
            for entry_id, fields in found
        ]
        counted = {_text(key): number for key, stated in counters.items() if (number := int(stated))}
        return Snapshot(cursor=_parse_cursor(at), counters=counted, entries=shown, epoch=_text(epoch or b""))

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
                self._begin_epoch(pipe)
            self._add_entries(pipe, taken)
            for key, number in totals(taken, corrected).items():
                pipe.hincrby(self._counters, key, number)
            for run, number in Counter(body.run for _, body in taken if isinstance(body, VerdictBody)).items():
                pipe.hincrby(self._runs, run, number)
            for row, body in taken:
                if isinstance(body, CorrectionBody):
                    pipe.hset(self._corrected, str(body.corrects), ending(row))
            pipe.set(self._cursor, _stated(Cursor(new[-1].seq, new[-1].hash)))
            pipe.execute()

    def _add_entries(self, pipe: Pipeline, taken: list[tuple[Row, Body]]) -> None:
        for row, fields in entries(taken):
            shown: dict[Any, Any] = dict(fields)
            most = self._limits.stream_maxlen
            pipe.xadd(self._verdicts, shown, id=f"{row.seq}-0", maxlen=most, approximate=False)

    def _begin_epoch(self, pipe: Pipeline) -> None:
        epoch = secrets.token_hex(8)
        log.info("live.begins_anew", epoch=epoch)
        pipe.set(self._epoch, epoch)

    def _corrections(self, pipe: Pipeline, taken: list[tuple[Row, Body]]) -> dict[int, str]:
        """What each verdict that these rows correct counted as before: `OUTCOME:reason`."""
        before: dict[int, str] = {}
        for _, body in taken:
            if isinstance(body, CorrectionBody):
                stated: Any = pipe.hget(self._corrected, str(body.corrects))
                verdict = None if stated else self._row(body.corrects)
                before[body.corrects] = _text(stated) if stated else ending(verdict) if verdict else ""
        return before


def check_url(url: str) -> None:
    """Raises `ConfigError` where this server will never take anything of ours; one that is away may come back."""
    client = _open_client(url, PATIENT_S)
    try:
        client.ping()
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise ConfigError(f"LINE_REDIS_URL: the server refuses us: {error}; give redis://USER:PASSWORD@HOST") from error
    except (redis.RedisError, OSError) as error:
        log.warning("live.away_at_start", error=str(error), answer="the line runs; what it misses comes later")
    finally:
        client.close()


def _open_client(url: str, timeout_s: float) -> redis.Redis:
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
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


def _stated(cursor: Cursor) -> str:
    return f"{cursor.seq}:{cursor.hash.hex()}"


def _parse_cursor(stated: Any) -> Cursor | None:
    """What the cursor key holds; None where it holds nothing that we wrote."""
    seq, _, digest = _text(stated or b"").partition(":")
    return Cursor(int(seq), bytes.fromhex(digest)) if seq.isdecimal() else None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
