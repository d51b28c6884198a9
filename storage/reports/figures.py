"""Figures as a page shows them: what cannot be had says why."""

from storage.reports.page import Fact
from storage.statistics.missing import Missing


def share(key: str, title: str, value: float | Missing, note: str = "", *, digits: int = 2) -> Fact:
    """A headline in percent; 0..1 for programs."""
    if isinstance(value, Missing):
        return Fact(key=key, title=title, value=None, note=value.why)
    return Fact(key=key, title=title, value=value, is_share=True, digits=digits, note=note)


def number(
    key: str, title: str, value: float | Missing, note: str = "", *, digits: int | None = None, unit: str = ""
) -> Fact:
    """A headline number."""
    if isinstance(value, Missing):
        return Fact(key=key, title=title, value=None, note=value.why)
    return Fact(key=key, title=title, value=value, digits=digits, unit=unit, note=note)


def known(value: float | Missing) -> float | None:
    """For a table: nothing where it cannot be had."""
    return None if isinstance(value, Missing) else value
