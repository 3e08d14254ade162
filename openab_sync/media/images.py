"""Pictures: verified by really decoding them, turned upright, made small enough for a model.

What is small, plain and free of a position goes as it is; everything else becomes a JPEG. A picture that cannot be
decoded to its end is none. Blocks as long as decoding may (under a second for the largest that is taken).

Pillow is imported where it is used, for most conversations never see a picture. Each format is opened by its own
class: `Image.open` would ask every format that Pillow knows, and only warn of a bomb.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import FileRefused
from .kinds import kind_of

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFile import ImageFile

__all__ = ["BYTES", "GIF_BYTES", "PIXELS", "Picture", "picture", "verify"]

SIDE = 1200  # pixels on the longer side: what upstream sends, and what models scale down to by themselves
QUALITY = 75
SMALL = 500 * 1024  # bytes below which a picture is not worth touching
BYTES = 20 * 1024 * 1024  # of a picture before it is made smaller
GIF_BYTES = 3584 * 1024  # a GIF is passed on whole: 4.9 MB as base64, of 5 that models take
PIXELS = 50_000_000  # largest sensors of cameras; four bytes each while it is decoded

_PLAIN = {"1", "L", "LA", "P", "RGB", "RGBA"}  # modes that everybody reads: not CMYK, not 16 bit
_KEPT = {"image/png", "image/jpeg", "image/webp"}
_ORIENTATION = 0x0112
_POSITION = 0x8825
_IN_WORDS = (b"GPSLatitude", b"GPSLongitude")  # XMP says it so

# What Pillow raises for bytes that lie, and its warnings where they are errors. Its own error about bombs is added
# where it is imported.
_HOSTILE = (OSError, SyntaxError, ValueError, LookupError, TypeError, ArithmeticError, AttributeError, EOFError,
            AssertionError, MemoryError, struct.error, zlib.error, Warning)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that has been decoded, ready for an agent. `still` if only the first of its frames is left."""

    data: bytes = field(repr=False)
    mime: str
    width: int
    height: int
    still: bool = False


def picture(data: bytes) -> Picture:
    """Return the picture in `data` as an agent should get it. Any thread; blocks as long as decoding takes.

    Raise FileRefused, with the reason, for what is no picture, a broken or an endless one.
    """
    limit = GIF_BYTES if kind_of(data).mime == "image/gif" else BYTES
    if len(data) > limit:
        raise FileRefused(f"is a picture of more than {limit / 1024 / 1024:g} MB")
    with _trusted(data) as image:
        return _fitting(image, data, kind_of(data).mime)


def verify(data: bytes) -> None:
    """Decode the picture in `data`. Any thread; blocks. Raise FileRefused if it is none, broken or endless."""
    with _trusted(data) as image:
        image.load()


@contextmanager
def _trusted(data: bytes) -> Iterator[ImageFile]:
    """Open a picture of a bearable size; what goes wrong with it while it is open is its own fault."""
    from PIL import Image

    kind = kind_of(data)
    if kind.what != "image":
        raise FileRefused("is not a picture")
    try:
        with _opened(data, kind.mime) as image:
            if image.width * image.height > PIXELS:
                raise FileRefused(f"is a picture of more than {PIXELS // 1_000_000} million pixels")
            yield image
    except (*_HOSTILE, Image.DecompressionBombError) as error:
        raise FileRefused("is a broken picture") from error


def _opened(data: bytes, mime: str) -> ImageFile:
    from PIL.BmpImagePlugin import BmpImageFile
    from PIL.GifImagePlugin import GifImageFile
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    file = io.BytesIO(data)
    match mime:
        case "image/png":
            return PngImageFile(file)
        case "image/jpeg":
            return JpegImageFile(file)
        case "image/gif":
            return GifImageFile(file)
        case "image/webp":
            return WebPImageFile(file)
        case _:
            return BmpImageFile(file)


def _fitting(image: ImageFile, data: bytes, mime: str) -> Picture:
    if mime == "image/gif":  # untouched, for it may be animated; its first frame is what models look at (FIELD H5)
        image.load()
        return Picture(data, mime, image.width, image.height)
    fits = max(image.size) <= SIDE
    if not fits:
        image.draft(None, (SIDE, SIDE))  # a JPEG can be decoded at a fraction of its size
    image.load()
    orientation, says_where = _exif(image)
    is_plain = fits and len(data) <= SMALL and mime in _KEPT and image.mode in _PLAIN
    if is_plain and orientation == 1 and not says_where and not any(words in data for words in _IN_WORDS):
        return Picture(data, mime, image.width, image.height)
    still = getattr(image, "n_frames", 1) > 1
    return _encoded(_turned(_on_white(_shrunk(image)), orientation), still=still)


def _exif(image: ImageFile) -> tuple[int, bool]:
    """Return the orientation, 1 for upright and 0 for none of the eight, and whether a position is told."""
    try:
        exif = image.getexif()
        said = exif.get(_ORIENTATION, 1)
        return said if said in range(1, 9) else 0, _POSITION in exif
    except _HOSTILE:  # the pixels are good all the same
        return 0, True


def _shrunk(image: ImageFile) -> Image.Image:
    """Return the pixels as RGB or RGBA, at most SIDE long, in their proportions (FIELD H5)."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bit grey: the upper 8, which a plain conversion may cut off instead
        pixels = image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    else:
        pixels = image.convert("RGBA" if image.has_transparency_data else "RGB")
    scale = SIDE / max(pixels.size)
    if scale >= 1:
        return pixels
    width, height = (max(1, round(side * scale)) for side in pixels.size)
    return pixels.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _on_white(image: Image.Image) -> Image.Image:
    """Return a new picture that has the pixels and nothing else: no comments, profiles, EXIF."""
    from PIL import Image

    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    return white


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = turns.get(orientation)
    return image if turn is None else image.transpose(turn)


def _encoded(image: Image.Image, *, still: bool) -> Picture:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return Picture(file.getvalue(), "image/jpeg", image.width, image.height, still)
