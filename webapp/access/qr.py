"""A square code as a picture inside the page: nothing is fetched, and nobody else sees it."""

from __future__ import annotations

import io
from base64 import b64encode

import segno

SCALE = 5
# Scanners need a light frame of this many squares, in dark pages too.
QUIET_SQUARES = 4


def square(content: str) -> str:
    """A data: address for an `img`; black on white in both themes."""
    picture = io.BytesIO()
    segno.make(content, error="m").save(
        picture, kind="png", scale=SCALE, border=QUIET_SQUARES, dark="black", light="white"
    )
    return f"data:image/png;base64,{b64encode(picture.getvalue()).decode()}"
