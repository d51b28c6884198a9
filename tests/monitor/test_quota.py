"""Behind a PLC of its own a run ends when enough was triggered, and all of it has met the gate."""

from monitor.actuation import STILL_S, Quota
from tests.monitor.builders import a_counter


def a_quota(frames: int | None, *, cameras: int = 1) -> Quota:
    """One that has heard of slot 100, where the run begins."""
    quota = Quota(cameras=cameras)
    assert not quota.is_full(a_counter(100))  # nobody has said go
    quota.go(frames)
    assert not quota.is_full(a_counter(100))
    return quota


def test_it_is_full_when_each_camera_had_its_share() -> None:
    quota = a_quota(5, cameras=2)

    assert [quota.is_full(a_counter(n)) for n in (101, 102, 103)] == [False, False, True]


def test_without_a_number_it_is_never_full() -> None:
    assert not a_quota(None).is_full(a_counter(10**6))


def test_it_ends_once_when_the_last_part_has_met_the_gate() -> None:
    quota = a_quota(2)
    quota.is_full(a_counter(102))
    quota.stop(10.0)
    early = quota.ends(10.0)
    quota.is_full(a_counter(103))  # it was triggered before the PLC heard
    quota.ends(10.0 + STILL_S / 2)
    quota.met(102)

    before = quota.ends(10.0 + STILL_S)
    quota.met(103)
    after = [quota.ends(11.0), quota.ends(11.0)]

    assert (early, before, after) == (False, False, [True, False])


def test_a_stop_that_is_said_again_does_not_put_the_end_off() -> None:
    quota = a_quota(None)
    quota.met(100)
    quota.stop(10.0)
    quota.stop(10.4)

    assert quota.ends(10.0 + STILL_S)
