"""What happened, in sentences: one per event type; the states as chips, who did it, and what
follows from a preview. It decides nothing and looks up nothing but names of staff."""

from webapp.sentences import documents, money, payments, provider, work
from webapp.sentences.follow import follows
from webapp.sentences.states import (
    PAYMENT_STATES,
    REFUND_STATES,
    payment_state,
    reason_effect,
    reason_name,
    refund_state,
)
from webapp.sentences.telling import ECHOES, Sentence, tell, told_types
from webapp.sentences.who import people, staff_names, who

__all__ = [
    "ECHOES",
    "PAYMENT_STATES",
    "REFUND_STATES",
    "Sentence",
    "documents",
    "follows",
    "money",
    "payment_state",
    "payments",
    "people",
    "provider",
    "reason_effect",
    "reason_name",
    "refund_state",
    "staff_names",
    "tell",
    "told_types",
    "who",
    "work",
]
