"""Crops in Redis, for as long as somebody may look at them. They are the first to go: a verdict never waits for one."""

import time

import redis
import structlog

from monitor.rows import VerdictBody
from storage.projection import Picture

CROP_BYTES = 1 << 20  # a larger picture is looked at in the image store
SENT_AT_ONCE = 1 << 18  # bytes; at 50 Mbit/s within the timeout
ROOM = 0.8  # of a server that evicts nothing: past it the rest is for verdicts
NONE_S = 30.0  # after a server had no room for crops, or no time
SCANNED = 500  # keys at once
log = structlog.get_logger()


class LiveCrops:
    """Keys `<prefix>:<sha256>`, each with a time to live."""

    def __init__(self, client: redis.Redis, prefix: str, ttl_s: int, picture: Picture) -> None:
        self._redis, self._prefix, self._ttl_s, self._picture = client, prefix, ttl_s, picture
        self._none_until_s = 0.0

    def show(self, verdicts: list[VerdictBody]) -> None:
        """The crops of verdicts young enough to be looked at; shed where the server has no room or time for them."""
        oldest = time.time_ns() - self._ttl_s * 1_000_000_000
        regions = [region for body in verdicts if body.decided_at > oldest for region in body.regions]
        named = sorted({sha256 for each in regions for sha256 in (each.crop_sha256, each.mask_sha256) if sha256})
        if not named or time.monotonic() < self._none_until_s:
            return
        try:
            if not self._has_room():
                self._none(f"more than {ROOM:.0%} of its memory is taken, and it evicts nothing")
                return
            self._send(named)
        except redis.RedisError as error:
            self._none(str(error))

    def shed(self, why: str) -> None:
        """Takes all crops away at once, for verdicts that found no room."""
        self._none(why)
        self.delete()

    def delete(self) -> int:
        """Deletes every crop of the station; how many there were."""
        gone = 0
        keys = []
        for key in self._redis.scan_iter(match=f"{self._prefix}:*", count=SCANNED):
            keys.append(key)
            if len(keys) == SCANNED:
                gone += int(self._redis.delete(*keys))
                keys = []
        return gone + (int(self._redis.delete(*keys)) if keys else 0)

    def _send(self, named: list[str]) -> None:
        with self._redis.pipeline(transaction=False) as pipe:
            waiting = 0
            for sha256 in named:
                if (png := self._picture(sha256)) is not None and len(png) <= CROP_BYTES:
                    pipe.set(f"{self._prefix}:{sha256}", png, ex=self._ttl_s)
                    waiting += len(png)
                if waiting >= SENT_AT_ONCE:
                    pipe.execute()
                    waiting = 0
            pipe.execute()

    def _has_room(self) -> bool:
        """Not where keys that nobody evicts have nearly filled it; a server that does not tell has room."""
        try:
            memory = self._redis.info("memory")
        except redis.ResponseError:
            return True
        most, policy = int(memory.get("maxmemory", 0)), memory.get("maxmemory_policy", "noeviction")
        return policy != "noeviction" or not most or int(memory["used_memory"]) < ROOM * most

    def _none(self, why: str) -> None:
        self._none_until_s = time.monotonic() + NONE_S
        log.warning("live.crops_shed", why=why, for_s=NONE_S)
