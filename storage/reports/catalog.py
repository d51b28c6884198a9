"""The reports that there are, by the name on the command line; a new one is a file beside this and a row here."""

from collections.abc import Callable
from typing import NamedTuple

from storage.reports.agreement import agreement
from storage.reports.asked import Asked
from storage.reports.escape import escape
from storage.reports.page import Page
from storage.reports.pod import pod
from storage.reports.quality import quality
from storage.reports.trace import trace


class Report(NamedTuple):
    make: Callable[[Asked], Page]
    says: str  # in one line


REPORTS: dict[str, Report] = {
    "quality": Report(quality, "FPY, RTY, DPU, DPMO, and the share that was inspected"),
    "agreement": Report(agreement, "the line against inspectors, and inspectors among themselves: kappa, AC1"),
    "escape": Report(escape, "passed parts that are defective, rejected ones that are good: rates with bounds"),
    "pod": Report(pod, "probability of detection by size: a50, a90, a90/95, false calls"),
    "trace": Report(trace, "one part: every frame, verdict, command and label, and the proof of the chain"),
}
