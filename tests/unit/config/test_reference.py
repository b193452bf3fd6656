from __future__ import annotations

import re

import pytest

from edge_daemon.config.reference import reference
from edge_daemon.config.units import (
    DURATIONS_S,
    SIZES,
    in_largest_unit,
    parse_duration_s,
    parse_size_bytes,
)
from tests.conftest import REPO


def test_reference_in_the_docs_is_that_of_the_code() -> None:
    written = (REPO / "docs" / "configuration.md").read_text()

    assert written == reference()  # python -m edge_daemon.config.reference > docs/configuration.md


def test_reference_tells_the_meaning_of_every_key() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", reference(), re.MULTILINE)

    assert len(rows) > 50
    assert [key for key, _, meaning in rows if not meaning] == []


@pytest.mark.parametrize("text", ["500ms", "10s", "5m", "12h", "7d"])
def test_duration_reads_back_as_it_was_written(text: str) -> None:
    assert in_largest_unit(parse_duration_s(text), DURATIONS_S) == text


@pytest.mark.parametrize("text", ["500MB", "20GB", "1B", "2TB"])
def test_size_reads_back_as_it_was_written(text: str) -> None:
    assert in_largest_unit(parse_size_bytes(text), SIZES) == text


@pytest.mark.parametrize("text", ["", "10", "s", "10 parsecs", "-1s", "1e3s", "nan s", 5, None])
def test_duration_that_is_none_is_refused_with_examples(text: object) -> None:
    with pytest.raises(ValueError, match="write a duration such as"):
        parse_duration_s(text)
