"""A run that was stopped or cut off anywhere goes on to the same weights and the same figures."""

from pathlib import Path

import pytest
import torch

from tests.workers.builders import a_stored_training, a_training, run, stops_after
from workers.errors import TrainingError
from workers.run_folder import read_epochs
from workers.train import Interrupted


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"optimizer": "adamw"}, id="adamw"),
        pytest.param({"optimizer": "sgd"}, id="sgd"),
        pytest.param({"averaging": 0.5}, id="averaged"),
    ],
)
@pytest.mark.parametrize("steps", [pytest.param(1, id="inside-an-epoch"), pytest.param(2, id="after-one")])
def test_a_resumed_run_ends_as_one_that_never_stopped(tmp_path: Path, options: dict[str, object], steps: int) -> None:
    training = a_stored_training(tmp_path / "set", **options)
    whole = run(training, tmp_path / "whole")
    with pytest.raises(Interrupted, match=f"stopped at step {steps}"):
        run(training, tmp_path / "halves", stop=stops_after(steps))

    halves = run(training, tmp_path / "halves", resume=True)

    for one, other in zip(whole.state_dict().values(), halves.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert (tmp_path / "whole" / "metrics.jsonl").read_text() == (tmp_path / "halves" / "metrics.jsonl").read_text()


def test_a_resumed_run_without_its_optimizer_would_end_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = a_stored_training(tmp_path / "set", epochs=2)
    whole = run(training, tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(training, tmp_path / "halves", stop=stops_after(2))
    monkeypatch.setattr(torch.optim.AdamW, "load_state_dict", lambda _self, _state: None)

    halves = run(training, tmp_path / "halves", resume=True)

    same = [torch.equal(a, b) for a, b in zip(whole.parameters(), halves.parameters(), strict=True)]
    assert not all(same)


def test_a_run_is_resumed_with_its_own_settings_only(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run(a_training(), tmp_path, stop=stops_after(1))

    with pytest.raises(TrainingError, match="was started with other settings"):
        run(a_training(seed=1), tmp_path, resume=True)


def test_there_must_be_something_to_resume(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no checkpoint to resume"):
        run(a_training(), tmp_path, resume=True)


@pytest.mark.parametrize("cut", ["add_epoch", "validate"])
def test_a_run_cut_off_while_an_epoch_is_judged_judges_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    training = a_stored_training(tmp_path / "set")
    run(training, tmp_path / "whole")

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"workers.train.{cut}", cut_off)
        with pytest.raises(KeyboardInterrupt):
            run(training, tmp_path / "halves")
    run(training, tmp_path / "halves", resume=True)

    assert (tmp_path / "whole" / "metrics.jsonl").read_text() == (tmp_path / "halves" / "metrics.jsonl").read_text()


def test_a_line_cut_off_in_the_figures_is_written_again(tmp_path: Path) -> None:
    training = a_stored_training(tmp_path / "set")
    with pytest.raises(Interrupted):
        run(training, tmp_path, stop=stops_after(3))
    whole = (tmp_path / "metrics.jsonl").read_text()
    (tmp_path / "metrics.jsonl").write_text(whole + '{"epoch":2,"st')

    run(training, tmp_path, resume=True)

    assert [each.epoch for each in read_epochs(tmp_path)] == [1, 2]
