"""images: what an agent gets to see is a picture, upright, not too large, and says nothing about where it was made."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from openab_sync.errors import FileRefused
from openab_sync.media import images
from openab_sync.media.images import Picture, picture, verify
from tests.media.paint import animated, bomb, encoded, gradient, opened, quarters

FORMS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
SAMPLES = {form: encoded(quarters(24, 16), form) for form in FORMS}
KEPT = ("PNG", "JPEG", "WEBP", "GIF")


# What goes as it is.


@pytest.mark.parametrize("form", KEPT)
def test_a_small_picture_goes_as_it_is(form: str) -> None:
    data = SAMPLES[form]
    assert picture(data) == Picture(data, f"image/{form.lower()}", 24, 16)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_a_small_picture_that_moves_goes_on_moving(form: str) -> None:
    """FIELD H5."""
    data = animated(form)
    assert picture(data).data == data
    assert not picture(data).still


def test_a_large_gif_is_not_touched() -> None:
    """FIELD H5: however many pixels, it may be animated."""
    data = animated("GIF", 1500, 40)
    assert picture(data) == Picture(data, "image/gif", 1500, 40)


# What is made anew.


@pytest.mark.parametrize(("size", "expected"), [
    ((2400, 1200), (1200, 600)), ((900, 3600), (300, 1200)), ((1201, 1201), (1200, 1200)), ((9000, 3), (1200, 1)),
])  # fmt: skip
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_large_picture_is_made_smaller_in_its_proportions(
    form: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    """FIELD H5."""
    made = picture(encoded(gradient(*size), form))
    assert (made.width, made.height) == expected
    assert made.mime == "image/jpeg"
    image = opened(made.data)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", expected)


def test_a_heavy_picture_is_made_lighter() -> None:
    noise = Image.frombytes("RGB", (600, 600), random.Random(1).randbytes(600 * 600 * 3))
    data = encoded(noise, "PNG")
    assert len(data) > images.SMALL
    made = picture(data)
    assert (made.mime, made.width, made.height) == ("image/jpeg", 600, 600)
    assert len(made.data) < images.SMALL


def test_a_bmp_becomes_a_jpeg() -> None:
    made = picture(SAMPLES["BMP"])
    assert (made.mime, opened(made.data).format) == ("image/jpeg", "JPEG")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("side", [60, 1600])
def test_a_picture_is_turned_upright(orientation: int, side: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = quarters(side, side // 2)
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation → the Transpose that it undoes
    turned = upright.transpose(Image.Transpose(back[orientation])) if orientation > 1 else upright
    made = picture(encoded(turned, "JPEG", exif=exif, quality=95))
    image = opened(made.data).convert("RGB")
    width, height = image.size
    assert width == 2 * height
    corners = [(width // 4, height // 4), (width * 3 // 4, height // 4), (width // 4, height * 3 // 4)]
    seen = [max(range(3), key=lambda band, at=at: pixel(image, at)[band]) for at in corners]  # type: ignore[misc]  # a default of a lambda
    assert seen == [0, 1, 2]
    assert not opened(made.data).getexif().get(0x0112, 1) > 1


def test_where_a_picture_was_made_is_not_told() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    data = encoded(quarters(24, 16), "JPEG", exif=exif)
    assert 0x8825 in opened(data).getexif()
    made = picture(data)
    assert 0x8825 not in opened(made.data).getexif()


def test_a_position_in_words_is_not_told_either() -> None:
    data = encoded(quarters(24, 16), "JPEG", xmp=b"<x exif:GPSLatitude='52,31.2N'/>")
    assert b"GPSLatitude" in data
    assert b"GPSLatitude" not in picture(data).data


def test_comments_do_not_survive() -> None:
    data = encoded(quarters(1300, 16), "JPEG", comment=b"my phone's number")
    assert b"my phone" not in picture(data).data


@pytest.mark.filterwarnings("ignore:.*EXIF")
@pytest.mark.parametrize("exif", [b"MM\0*\xff\xff\xff\xff\0", b"no TIFF at all", b""])
def test_an_exif_that_cannot_be_read_costs_the_exif_only(exif: bytes) -> None:
    made = picture(encoded(quarters(24, 16), "JPEG", exif=b"Exif\0\0" + exif))
    assert (made.width, made.height) == (24, 16)


def test_an_exif_that_is_an_error_to_read_costs_the_exif_only() -> None:
    """As Pillow's warnings are where warnings are errors."""
    exif = b"Exif\0\0MM\0*\xff\xff\xff\xff\0"
    data = encoded(quarters(24, 16), "JPEG", exif=exif, dpi=(72, 72))
    assert exif in data
    made = picture(data)
    assert (made.width, made.height) == (24, 16)
    assert exif not in made.data


@pytest.mark.parametrize("said", [0, 9, 77])
def test_a_senseless_orientation_turns_nothing(said: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = said
    made = picture(encoded(quarters(24, 16), "JPEG", exif=exif))
    assert (made.width, made.height) == (24, 16)
    assert 0x0112 not in opened(made.data).getexif()


# Modes.


def test_transparency_becomes_white() -> None:
    image = Image.new("RGBA", (1300, 20), (0, 0, 0, 0))
    assert min(pixel(opened(picture(encoded(image, "PNG")).data), (600, 9))) > 250


def test_a_palette_with_transparency_becomes_white() -> None:
    image = Image.new("P", (1300, 20), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.paste(1, (650, 0, 1300, 20))
    made = opened(picture(encoded(image, "PNG", transparency=0)).data)
    assert min(pixel(made, (300, 9))) > 250
    assert pixel(made, (900, 9))[0] > 200 > pixel(made, (900, 9))[1]


def test_sixteen_bits_of_grey_are_not_cut_off() -> None:
    image = Image.new("I;16", (1300, 4))
    for x in range(1300):
        for y in range(4):
            image.putpixel((x, y), x * 50)
    made = opened(picture(encoded(image, "PNG")).data)
    assert 110 < pixel(made, (550, 1))[0] < 125  # 600 of 1300: 30,000 of 65,536


def test_the_colours_of_printers_become_those_of_screens() -> None:
    data = encoded(quarters(24, 16).convert("CMYK"), "JPEG")
    made = picture(data)
    assert opened(made.data).mode == "RGB"
    assert pixel(opened(made.data), (4, 4))[0] > 200 > pixel(opened(made.data), (4, 4))[1]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_every_mode_can_be_made_smaller(mode: str) -> None:
    made = picture(encoded(gradient(1400, 20, mode), "PNG"))
    assert opened(made.data).mode == "RGB"
    assert pixel(opened(made.data), (1150, 5))[0] > 180
    assert pixel(opened(made.data), (40, 5))[0] < 80


def test_of_a_large_picture_that_moves_the_first_is_left() -> None:
    made = picture(animated("WEBP", 1400, 20))
    assert (made.mime, made.still) == ("image/jpeg", True)
    assert pixel(opened(made.data), (600, 9))[0] > 200


# What is refused.


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.85])
def test_a_truncated_picture_is_none(form: str, share: float) -> None:
    data = encoded(gradient(300, 200), form)
    with pytest.raises(FileRefused):
        picture(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    "data", [b"", b"<html>Log in</html>", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    """FIELD H1."""
    with pytest.raises(FileRefused, match="picture"):
        picture(data)


def test_a_picture_with_a_page_behind_its_first_bytes_is_refused() -> None:
    """FIELD H1: a polyglot that only begins as a picture does."""
    for form in FORMS:
        with pytest.raises(FileRefused):
            picture(SAMPLES[form][:20] + b"<html><script>alert(1)</script></html>" * 20)


@pytest.mark.parametrize("size", [(20_000, 20_000), (60_000, 60_000), (2**31 - 1, 1), (50_001, 1000)])
def test_a_bomb_is_refused_before_it_is_decoded(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def exploded(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", exploded)
    with pytest.raises(FileRefused, match=r"million pixels|broken"):
        picture(bomb(*size))


def test_a_bomb_in_a_gif_is_refused() -> None:
    data = SAMPLES["GIF"]
    with pytest.raises(FileRefused):
        picture(data[:6] + struct.pack("<HH", 65535, 65535) + data[10:])


def test_a_picture_that_is_too_heavy_to_look_at_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "BYTES", 100)
    with pytest.raises(FileRefused, match="is a picture of more than"):
        picture(SAMPLES["BMP"])


def test_a_gif_that_no_model_would_take_is_refused() -> None:
    with pytest.raises(FileRefused, match=r"is a picture of more than 3\.5 MB"):
        picture(SAMPLES["GIF"] + bytes(images.GIF_BYTES))


@pytest.mark.parametrize("form", FORMS)
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 12))
def test_hostile_bytes_are_refused_or_a_picture_and_nothing_else(form: str, seed: int, changes: int) -> None:
    dice, data = random.Random(seed), bytearray(SAMPLES[form])
    for _ in range(changes):
        data[dice.randrange(len(data))] = dice.randrange(256)
    try:
        made = picture(bytes(data))
    except FileRefused:
        return
    assert opened(made.data).size == (made.width, made.height)


# Looking only.


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_is_verified(form: str) -> None:
    verify(SAMPLES[form])
    with pytest.raises(FileRefused):
        verify(SAMPLES[form][:30])


def pixel(image: Image.Image, at: tuple[int, int]) -> tuple[int, ...]:
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return tuple(int(band) for band in found)
