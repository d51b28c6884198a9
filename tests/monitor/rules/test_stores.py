"""A store that is away or behind is said to be once, and once that it is back."""

import pytest

from monitor.rules.stores import StoreLag, StoreWatch, behind


def a_lag(seconds: float, rows: int | None = 500, why: str = "", store: str = "live") -> StoreLag:
    return StoreLag(store=store, rows=rows, seconds=seconds, why=why)


def names(watch: StoreWatch, *lags: StoreLag) -> list[str]:
    return [told.name for lag in lags for told in watch.look([lag])]


def test_an_outage_is_said_once_and_its_end_once() -> None:
    watch = StoreWatch(10.0)

    said = names(watch, a_lag(9.9), a_lag(10.1), a_lag(60.0, why="refused"), a_lag(70.0), a_lag(0.2, 0), a_lag(0.0, 0))

    assert said == ["store.lag", "store.back"]
    assert names(watch, a_lag(11.0)) == ["store.lag"]


@pytest.mark.parametrize(
    "lag",
    [
        pytest.param(a_lag(0.1, 0, why="refused"), id="still-away"),
        pytest.param(a_lag(0.1, None), id="cannot-be-asked"),
        pytest.param(a_lag(0.1, 2_000_000), id="a-recorder-that-has-just-started-knows-no-age"),
        pytest.param(a_lag(6.0), id="more-than-half-of-the-limit"),
    ],
)
def test_it_is_not_back_before_it_is_well(lag: StoreLag) -> None:
    watch = StoreWatch(10.0)
    watch.look([a_lag(11.0)])

    assert watch.look([lag]) == []


def test_each_store_has_its_own_outage_and_its_facts_are_in_the_text() -> None:
    told = StoreWatch(1.0).look([a_lag(2.0, 1200, store="audit", why="refused"), a_lag(3.0, None)])

    assert [(each.about, each.text) for each in told] == [
        ("audit", "1,200 rows and 2 s behind: refused"),
        ("live", "an unknown number of rows and 3 s behind"),
    ]


def test_what_comes_and_goes_with_every_part_is_not_shown() -> None:
    assert behind([a_lag(0.4, 3), a_lag(3.0), a_lag(0.0, 0, why="refused")], over_s=2.0) == [
        a_lag(3.0),
        a_lag(0.0, 0, why="refused"),
    ]
