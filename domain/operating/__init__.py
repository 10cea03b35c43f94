"""Operations: what the machinery does, what it set aside, and the sandbox Clock."""

from domain.operating.cases import (
    effect_case,
    effect_subject,
    notification_case,
    notification_subject,
    raise_cases,
    stream_case,
    timer_case,
)
from domain.operating.release import (
    receive_statement,
    release_effect,
    release_stream,
    translate_again,
)
from domain.operating.watch import (
    Health,
    bank_file,
    bank_files_not_imported,
    count_not_imported,
    effects_of,
    health,
    health_of,
    notification,
)

__all__ = [
    "Health",
    "bank_file",
    "bank_files_not_imported",
    "count_not_imported",
    "effect_case",
    "effect_subject",
    "effects_of",
    "health",
    "health_of",
    "notification",
    "notification_case",
    "notification_subject",
    "raise_cases",
    "receive_statement",
    "release_effect",
    "release_stream",
    "stream_case",
    "timer_case",
    "translate_again",
]
