"""The page for people who program a PLC says what the table of tags says."""

from pathlib import Path

import pytest

from monitor.actuators import tags
from monitor.actuators.tags import Tag

PAGE = (Path(__file__).resolve().parents[3] / "docs/plc-opcua.md").read_text()


@pytest.mark.parametrize("tag", [*tags.PLC_TAGS, *tags.ACTED_TAGS, *tags.LINE_TAGS], ids=lambda tag: tag.name)
def test_each_tag_stands_on_the_page(tag: Tag) -> None:
    kind = f"{tag.kind}[{tag.size}]" if tag.size else tag.kind

    assert f"| `{tag.name}` | {kind} | {tag.says} |" in PAGE


def test_the_mailbox_is_as_long_as_the_page_says() -> None:
    assert f"| `LineMailbox` | UInt32[{tags.MAILBOX.size}] |" in PAGE
    assert f"`[{tags.MAILBOX_WORDS - 1}]` the batch's number again" in PAGE
