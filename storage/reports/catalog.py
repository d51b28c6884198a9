"""The reports that there are, by the name on the command line; a new one is a file beside this and a row here."""

from importlib import import_module
from typing import NamedTuple

from storage.reports.asked import Asked
from storage.reports.page import Page


class Report(NamedTuple):
    made_by: str  # module:function, Asked → Page; imported when asked for, as charts take a second to load
    says: str  # in one line


REPORTS: dict[str, Report] = {
    "shift": Report(
        "storage.reports.shift:shift", "what a shift hands over: parts, rejects, holds, alarms, lateness, changes"
    ),
    "quality": Report("storage.reports.quality:quality", "FPY, RTY, DPU, DPMO, and the share that was inspected"),
    "spc": Report(
        "storage.reports.spc:spc", "control charts: Laney p′ and u′, g and t of rare rejects, EWMA, run rules"
    ),
    "pareto": Report("storage.reports.pareto:pareto", "which zones, sizes, cameras and shifts most defects come from"),
    "map": Report(
        "storage.reports.map:defect_map",
        "where on the part defects lie, and whether they repeat as a roll's mark would",
    ),
    "latency": Report("storage.reports.latency:latency", "how long verdicts took, and how late the gate was told"),
}


def make(name: str, asked: Asked) -> Page:
    """The report of this name; `KeyError` where there is none."""
    module, _, function = REPORTS[name].made_by.partition(":")
    page: Page = getattr(import_module(module), function)(asked)
    return page
