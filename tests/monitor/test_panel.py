"""What the operator sees of stores that are away or behind."""

import io

from rich.console import Console

from monitor.panel import render
from monitor.rules.stores import StoreLag
from monitor.supervisor import View
from tests.monitor.builders import a_station


def shown(*lags: StoreLag) -> str:
    console = Console(file=io.StringIO(), width=120)
    with console.capture() as captured:
        console.print(render(View(station=a_station(), children=[], stores=lags)))
    return captured.get()


def test_a_store_that_is_behind_is_shown_with_rows_and_seconds() -> None:
    text = shown(
        StoreLag(store="audit", rows=12_345, seconds=61.4, why="connection refused [Errno 111]"),
        StoreLag(store="images", rows=2, seconds=0.2),
    )

    assert "stores behind" in text
    assert "audit: 12,345 rows and 61 s behind: connection refused [Errno 111]" in text
    assert "images" not in text


def test_nothing_is_shown_of_stores_that_keep_up() -> None:
    assert "stores behind" not in shown(StoreLag(store="live", rows=3, seconds=0.4))
