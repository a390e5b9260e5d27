"""What a tool returned, as the text a model reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from vega_trio._core.capping import cap
from vega_trio.messages import ImagePart, ToolOutput

MAX_IMAGES: Final = 10
MAX_IMAGE: Final = 3_750_000  # bytes: 5 MB as base64, the most that Anthropic takes
IMAGE_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def as_output(value: Any) -> str | ToolOutput:
    """What a function returned: an image, a list with some, or a `ToolOutput`; anything else as `as_text`.

    Raises: TypeError.
    """
    match value:
        case ToolOutput():
            return shown(value.text, value.images)
        case ImagePart():
            return shown(_image(value), [value])
        case list() | tuple() if any(isinstance(each, ImagePart) for each in value):
            parts = [_image(each) if isinstance(each, ImagePart) else as_text(each) for each in value]
            return shown("\n".join(parts), [each for each in value if isinstance(each, ImagePart)])
        case _:
            return cap(as_text(value))


def _image(image: ImagePart) -> str:
    return f"[an image, {image.media_type}, {len(image.data):,} bytes]"


def shown(text: str, images: Iterable[ImagePart]) -> str | ToolOutput:
    """Text and images within the limits. The text says which images are left out, and what the others are."""
    kept: list[ImagePart] = []
    notes = []
    for number, each in enumerate(images, 1):
        why = _unfit(each) if len(kept) < MAX_IMAGES else f"a result has at most {MAX_IMAGES}"
        if why:
            notes.append(f"[image {number} is left out: {why}]")
        else:
            kept.append(each)
    whole = cap("\n".join([text, *notes]))
    return ToolOutput(whole, tuple(kept)) if kept else whole


def _unfit(image: ImagePart) -> str:
    if image.media_type not in IMAGE_TYPES:
        return f"{image.media_type[:40]!r} is none of {', '.join(sorted(IMAGE_TYPES))}"
    if len(image.data) > MAX_IMAGE:
        return f"it has more than {MAX_IMAGE:,} bytes"
    return "" if image.data else "it is empty"


def as_text(value: Any) -> str:
    """Text as it is, nothing for None, anything else as compact JSON (attrs classes and dataclasses too).

    Raises: TypeError for a value that has no JSON form.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return msgspec.json.encode(value).decode()
    except TypeError as error:
        raise TypeError(f"the tool returned a {type(value).__name__}, which has no JSON form: {error}") from error
