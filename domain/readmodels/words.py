"""How texts are compared when people look for something: without case, accents, umlauts and
punctuation, by the beginnings of words. It holds no table."""

import re
import unicodedata

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_BREAKS = re.compile(r"[^0-9a-z]+")
QUERY_WORDS_MAX = 8
"""Nobody remembers more of a name; a longer text is a paste by mistake."""
WORD_CHARS_MAX = 64


def fold(text: str) -> str:
    """`Müller-Straße` -> `mueller-strasse`."""
    spelled_out = text.casefold().translate(_GERMAN)
    return _bare(spelled_out)


def _bare(text: str) -> str:
    """`müller` -> `muller`: what people type who have no umlauts on their keyboard."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def words_of(*texts: str | None) -> tuple[str, ...]:
    """What a thing is found by: every word, every text between spaces as a whole, and every number
    without the zeros in front of it."""
    found: dict[str, None] = {}
    for text in texts:
        for spelling in (fold(text or ""), _bare(text or "")):
            for chunk in spelling.split():
                for word in (_BREAKS.sub("", chunk), *_BREAKS.split(chunk)):
                    found[word[:WORD_CHARS_MAX]] = None
                    if word.startswith("0") and word.isdecimal():
                        found[word.lstrip("0")[:WORD_CHARS_MAX]] = None
    found.pop("", None)
    return tuple(sorted(found))


def prefix_query(text: str) -> str:
    """A tsquery that wants every word of `text` as the beginning of a word; empty without one.

    Its words consist of letters and digits only, so nothing in it needs quoting.
    """
    words = [_BREAKS.sub("", chunk) for chunk in fold(text).split()]
    wanted = [word[:WORD_CHARS_MAX] for word in words if word][:QUERY_WORDS_MAX]
    return " & ".join(f"{word}:*" for word in wanted)
