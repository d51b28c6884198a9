"""A Sparkplug host that takes nothing on trust: what it believes of an edge node, and what made no sense to it."""

from dataclasses import dataclass, field

from monitor.rules.sparkplug import BD_SEQ, SEQS, Report


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A message, as far as its order goes."""

    verb: str
    device: str
    seq: int | None
    bd_seq: object
    metrics: frozenset[str]


@dataclass
class Host:
    """It follows the specification's order of births, data and deaths; `wrong` is empty after one that keeps it."""

    online: bool = False
    wrong: list[str] = field(default_factory=list)
    _bd_seq: object = None
    _next: int = 0
    _born: dict[str, frozenset[str]] = field(default_factory=dict)  # by device; the node itself is ""

    def hear(self, heard: Heard) -> None:
        if heard.verb == "NDEATH":
            if heard.bd_seq == self._bd_seq:  # else it is of an earlier life, and late
                self.online, self._born = False, {}
            return
        if heard.verb == "NBIRTH":
            self.online, self._bd_seq, self._next, self._born = True, heard.bd_seq, 0, {}
        if heard.seq != self._next:
            self.wrong.append(f"{heard.verb} has seq {heard.seq}, not {self._next}")
        self._next = ((heard.seq or 0) + 1) % SEQS
        if heard.verb in ("NBIRTH", "DBIRTH"):
            self._born[heard.device] = heard.metrics
        elif heard.device not in self._born:
            self.wrong.append(f"{heard.verb} before its birth")
        elif strange := heard.metrics - self._born[heard.device]:
            self.wrong.append(f"{heard.verb} of {sorted(strange)}, which its birth did not name")
        if heard.verb == "DDEATH":
            self._born.pop(heard.device, None)


def heard_of(report: Report) -> Heard:
    """What a host gets of what our rules say."""
    values = {metric.name: metric.value for metric in report.metrics}
    return Heard(
        verb=report.verb,
        device=report.device,
        seq=report.seq,
        bd_seq=values.get(BD_SEQ),
        metrics=frozenset(values),
    )
