"""The promise everything stands on, with eight writers, slow transactions and savepoints at once:
nothing lost, nothing out of order, no gap. The naive control in the same run must lose."""

from __future__ import annotations

import pytest

from bench.stream_proof import prove


@pytest.mark.slow
def test_no_event_is_lost_and_none_overtakes_its_stream(database_url: str) -> None:
    found = prove(database_url, seconds=4)
    assert found["stored"] > 500
    assert (found["lost"], found["doubled"], found["inverted"], found["gaps"]) == (0, 0, 0, 0)
    assert found["naive_lost"] > 0
