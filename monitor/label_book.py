"""Labels that people send to a running line, as rows: each once, however often it is said."""

from collections import OrderedDict

from monitor.labels import LABELLED, Saying
from monitor.rows import Entry, Kind, PersonBody

REMEMBERED = 10_000  # a label is said again for seconds; what comes twice all the same, the audit store knows by its id


class LabelBook:
    """Between decision's desk and whoever labels."""

    def __init__(self, *, remembered: int = REMEMBERED) -> None:
        self._heard: OrderedDict[str, None] = OrderedDict()
        self._remembered = remembered

    def hear(self, saying: Saying) -> list[Entry]:
        """The row for the next commit; none of what was heard before."""
        if saying.label.id in self._heard:
            return []
        self._heard[saying.label.id] = None
        if len(self._heard) > self._remembered:
            self._heard.popitem(last=False)
        return [labelled(saying)]


def labelled(saying: Saying) -> Entry:
    """The row of a label."""
    label = saying.label
    body = PersonBody(
        who=saying.who,
        what=LABELLED,
        why=saying.why,
        old=saying.old,
        new=state_text(label.state, label.label),
        at=saying.at,
        label=label,
    )
    return Entry(kind=Kind.PERSON, frame=saying.frame, slot=saying.slot, outcome=None, reason=None, body=body)


def state_text(state: str, label: str) -> str:
    """What `old` and `new` of such a row say, as `confirmed: squat`."""
    return f"{state}: {label}"
