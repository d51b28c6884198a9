"""Each wrong line of a file of labels is named with what would be right, and the others are read."""

from pathlib import Path

import pytest

import storage.label_file
from monitor.labels import State
from storage.label_file import COLUMNS, FileRefused, Line, read_labels

FRAME = "rail-03/head/1/000007"
HEADER = ",".join(COLUMNS)


def a_file(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def a_row(**cells: str) -> str:
    return ",".join(({"frame": FRAME, "label": "squat"} | cells).get(column, "") for column in COLUMNS)


def test_a_line_says_all_that_it_may(tmp_path: Path) -> None:
    row = a_row(
        slot="7", region="2", reviewer="ann", state="second look", size_mm="3.5", blind="yes", trial="2",
        at="2026-09-21T14:03:00+02:00", why='"by eye, at 20 cm"',
    )  # fmt: skip

    lines, refused = read_labels(a_file(tmp_path, row))

    assert refused == []
    assert lines == [
        Line(
            number=2,
            frame=FRAME,
            slot=7,
            region=2,
            reviewer="ann",
            state=State.SECOND_LOOK,
            label="squat",
            size_mm=3.5,
            blind=True,
            trial=2,
            at=1_789_992_180_000_000_000,
            why="by eye, at 20 cm",
        )
    ]


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    lines, refused = read_labels(a_file(tmp_path, "7,Good", "", "8,  dent ", header="slot,label"))

    assert refused == []
    assert lines == [Line(number=2, slot=7, label="good"), Line(number=4, slot=8, label="dent")]


@pytest.mark.parametrize("mark", ["\ufeff", ""], ids=["as-spreadsheets-begin", "plain"])
def test_a_spreadsheets_file_is_read(tmp_path: Path, mark: str) -> None:
    lines, refused = read_labels(a_file(tmp_path, "7;riss, quer", header=f"{mark}Slot;Label"))

    assert refused == []
    assert lines == [Line(number=2, slot=7, label="riss, quer")]


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+1", "@SUM(A1)", "<script>alert(1)</script>", "[red]x[/red]", "'; --"]
)
def test_formulas_and_tags_are_text(tmp_path: Path, text: str) -> None:
    lines, refused = read_labels(a_file(tmp_path, f'7,"{text}"', header="slot,label"))

    assert refused == []
    assert lines[0].label == text


@pytest.mark.parametrize(
    ("cells", "column", "found", "expected"),
    [
        pytest.param({"label": ""}, "label", "nothing", "good, borderline", id="no-label"),
        pytest.param({"label": "x" * 65}, "label", "65 characters", "at most 64", id="long-label"),
        pytest.param({"label": "a\u202eb"}, "label", "U+202E", "characters that show", id="turned-text"),
        pytest.param({"label": "a\x07b"}, "label", "U+0007", "characters that show", id="bell"),
        pytest.param({"frame": ""}, "frame", "neither frame nor slot", "one of them", id="of-nothing"),
        pytest.param({"frame": "head/7"}, "frame", "'head/7'", "station/camera/epoch/number", id="no-frame"),
        pytest.param({"frame": "a/b/c/d"}, "frame", "'a/b/c/d'", "station/camera/epoch/number", id="no-number"),
        pytest.param({"slot": "-1"}, "slot", "'-1'", "whole number", id="negative-slot"),
        pytest.param({"slot": "7.0"}, "slot", "'7.0'", "whole number", id="decimal-slot"),
        pytest.param({"slot": "9" * 400}, "slot", "'999", "whole number", id="huge-slot"),
        pytest.param({"region": "0"}, "region", "'0'", "from 1 to 4096", id="region-0"),
        pytest.param({"reviewer": "Twin"}, "reviewer", "'Twin'", "--from-twin", id="posing-as-the-twin"),
        pytest.param({"reviewer": "y" * 65}, "reviewer", "65 characters", "at most 64", id="long-name"),
        pytest.param({"state": "sure"}, "state", "'sure'", "proposed, confirmed", id="no-state"),
        pytest.param({"size_mm": "0"}, "size_mm", "'0'", "above 0", id="size-0"),
        pytest.param({"size_mm": "nan"}, "size_mm", "'nan'", "above 0", id="size-nan"),
        pytest.param({"size_mm": "inf"}, "size_mm", "'inf'", "above 0", id="size-infinite"),
        pytest.param({"size_mm": '"3,5"'}, "size_mm", "'3,5'", "'3.5', with a point", id="size-with-a-comma"),
        pytest.param({"blind": "perhaps"}, "blind", "'perhaps'", "yes, true, 1, no, false, 0", id="blind"),
        pytest.param({"trial": "0"}, "trial", "'0'", "from 1 to 100", id="trial-0"),
        pytest.param({"at": "yesterday"}, "at", "'yesterday'", "a time with its zone", id="no-time"),
        pytest.param({"at": "2026-09-21T14:03:00"}, "at", "'2026-09-21T14:03:00'", "with its zone", id="no-zone"),
        pytest.param({"why": "w" * 1001}, "why", "1001 characters", "at most 1000", id="long-reason"),
        pytest.param({"why": "a,b"}, "", "12 cells", "quote what has a comma", id="a-cell-too-many"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named_and_the_others_are_read(
    tmp_path: Path, cells: dict[str, str], column: str, found: str, expected: str
) -> None:
    path = a_file(tmp_path, a_row(slot="7"), a_row(**cells), a_row(slot="9"))

    lines, refused = read_labels(path)

    assert [line.number for line in lines] == [2, 4]
    assert [(each.line, each.column) for each in refused] == [(3, column)]
    assert found in refused[0].found
    assert expected in refused[0].expected
    assert refused[0].text("labels.csv").startswith(f"labels.csv:3{', ' if column else ''}{column}: ")


def test_all_that_is_wrong_with_a_line_is_said(tmp_path: Path) -> None:
    _, refused = read_labels(a_file(tmp_path, a_row(size_mm="big", trial="x")))

    assert [each.column for each in refused] == ["size_mm", "trial"]


def test_a_quote_that_never_ends_is_one_wrong_line(tmp_path: Path) -> None:
    lines, refused = read_labels(
        a_file(tmp_path, "7,dent", '8,"den"t', "9,dent", '10,"den', "11,dent", header="slot,label")
    )

    assert [line.slot for line in lines] == [7, 9]
    assert [each.line for each in refused] == [3, 5]
    assert "quote" in refused[0].expected


@pytest.mark.parametrize(
    ("header", "why"),
    [
        pytest.param("frame,lable", "'lable' is not one of .*did you mean 'label'", id="misspelt"),
        pytest.param("frame,label,label", "'label' is there twice", id="twice"),
        pytest.param("frame,slot", "label, and frame or slot, are needed", id="no-label"),
        pytest.param("label", "label, and frame or slot, are needed", id="of-nothing"),
        pytest.param("", "label, and frame or slot, are needed; there is nothing", id="empty"),
    ],
)
def test_a_header_that_names_no_labels_refuses_the_file(tmp_path: Path, header: str, why: str) -> None:
    with pytest.raises(FileRefused, match=rf"labels.csv:1: {why}"):
        read_labels(a_file(tmp_path, header=header))


def test_a_file_of_other_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(b"slot,label\n7,dent\n8,gr\xfcn\n")

    with pytest.raises(FileRefused, match=r"labels.csv:3: byte 0xfc is no UTF-8"):
        read_labels(path)


def test_a_file_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.label_file, "FILE_BYTES", 10)

    with pytest.raises(FileRefused, match="at most 10"):
        read_labels(a_file(tmp_path, a_row()))


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cannot be read: No such file"):
        read_labels(tmp_path / "none.csv")
