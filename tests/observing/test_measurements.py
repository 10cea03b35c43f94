"""Two benches judge by rules of their own: the rules see what they are there to see."""

from __future__ import annotations

from bench import outage, traces
from bench.collector import Seen


def story(*steps: tuple[str, str, str]) -> list[Seen]:
    """(name, span, parent) of one trace."""
    return [Seen(name, "t", span, parent, {}) for name, span, parent in steps]


WHOLE = [(name, str(n), str(n - 1) if n else "") for n, name in enumerate(traces.WAY)]


def test_a_story_from_the_click_to_the_notification_is_whole() -> None:
    assert traces.breaks(story(*WHOLE)) == []


def test_a_step_that_is_missing_or_hangs_on_nothing_breaks_it() -> None:
    assert traces.breaks(story(*WHOLE[:-1])) == ["no effect translate"]
    loose = traces.breaks(story(*WHOLE, ("event stray", "x", "gone")))
    assert loose == ["loose event stray"]
    (second,) = traces.breaks(story(*WHOLE, ("POST /hooks/<provider>", "x", "")))
    assert second.startswith("begins with")
    assert len(traces.breaks([])) == len(traces.WAY) + 1


def test_the_ramp_is_kept_by_whoever_waits_for_it() -> None:
    at, calls = 0.0, []
    while at < 30:
        calls.append(at)
        at += 1 / outage.rate(at)
    found = outage.against_the_ramp(calls)
    assert found["ahead_of_the_ramp"] <= 1
    assert found["ramp_used_at_most"] <= 1


def test_a_stampede_and_a_stall_are_seen() -> None:
    at_once = outage.against_the_ramp([0.01 * n for n in range(400)])
    assert at_once["ahead_of_the_ramp"] > 300
    assert at_once["ramp_used_at_most"] > 5
    late = outage.against_the_ramp([10 + 0.005 * n for n in range(60)])
    assert late["ahead_of_the_ramp"] == 0
    assert late["ramp_used_at_most"] > 1
    assert outage.against_the_ramp([0.0, 1.0, 9.0])["longest_pause_s"] == 8
