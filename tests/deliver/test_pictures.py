"""Pictures show what PS3.3 C.11 says that stored values look like: held against plain arithmetic."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.sequence import Sequence

from scanward.adapters.local.decoder_pictures import rendered
from scanward.deliver.looks import Wanted, look_of, looks_of, representative
from scanward.deliver.pixels import frame_of
from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN
from scanward.ports.decoder import Image, Look, Render, Table, Undecodable, Viewport, Window
from tests.deliver.objects import FILES, described, view_of

pytestmark = pytest.mark.unit

PNG = "image/png"
RAMP = np.arange(-32, 32, dtype="<i2").reshape(8, 8)
SIGNED = Image(8, 8, 1, 16, 16, signed=True, photometric="MONOCHROME2")
Shades = NDArray[np.uint8]


def shown(picture: bytes) -> Shades:
    return np.asarray(Pillow.open(io.BytesIO(picture)))


def of_ramp(look: Look, image: Image = SIGNED) -> Shades:
    return shown(rendered(Render((RAMP.tobytes(),), EXPLICIT_LITTLE_ENDIAN, image, look)))


def of_file(name: str, frame: int = 0, **wanted: Any) -> Shades:  # noqa: ANN401 - what Wanted takes
    view = view_of(name)
    pixels = described(view)
    look = look_of(looks_of(view), pixels.image, frame, Wanted(PNG, **wanted))
    return shown(rendered(Render((frame_of(view, pixels, frame),), pixels.syntax, pixels.image, look)))


def linear(values: NDArray[Any], center: float, width: float) -> NDArray[Any]:
    """Return PS3.3 C.11.2.1.2.1, to the letter."""
    shade = ((values - (center - 0.5)) / (width - 1) + 0.5) * 255
    shade[values <= center - 0.5 - (width - 1) / 2] = 0
    shade[values > center - 0.5 + (width - 1) / 2] = 255
    return np.rint(shade)


def test_a_linear_window_is_the_one_of_the_standard() -> None:
    heard = RAMP * 2.0 - 10
    made = of_ramp(Look(PNG, slope=2, intercept=-10, window=Window(-5, 40)))
    np.testing.assert_array_equal(made, linear(heard, -5, 40))
    assert {0, 255} < set(made.reshape(-1).tolist())


def test_exact_and_sigmoid_windows_are_those_of_the_standard() -> None:
    exact = of_ramp(Look(PNG, window=Window(3, 20, "LINEAR_EXACT")))
    np.testing.assert_array_equal(exact, np.rint(np.clip((RAMP - 3.0) / 20 + 0.5, 0, 1) * 255))
    sigmoid = of_ramp(Look(PNG, window=Window(3, 20, "SIGMOID")))
    np.testing.assert_array_equal(sigmoid, np.rint(255 / (1 + np.exp(-4 * (RAMP - 3.0) / 20))))


def test_a_window_of_width_one_is_a_threshold() -> None:
    made = of_ramp(Look(PNG, window=Window(5, 1)))
    np.testing.assert_array_equal(made, np.where(RAMP > 4.5, 255, 0))


def test_without_a_window_the_values_reach_from_black_to_white() -> None:
    made = of_ramp(Look(PNG))
    np.testing.assert_array_equal(made, np.rint((RAMP + 32.0) / 63 * 255))


def test_low_values_are_white_where_the_object_says_so() -> None:
    plain, inverse = of_ramp(Look(PNG)), of_ramp(Look(PNG, inverse=True))
    np.testing.assert_array_equal(inverse, 255 - plain)


def test_padding_is_black_and_widens_no_range() -> None:
    made = of_ramp(Look(PNG, padding=(-32, -1), inverse=True))
    assert not made[RAMP < 0].any()
    np.testing.assert_array_equal(made[RAMP >= 0], np.rint((1 - RAMP[RAMP >= 0] / 31) * 255))


def test_tables_are_looked_up_and_their_ends_reach_on() -> None:
    """PS3.3 C.11.1.1: what lies outside is the first or the last entry."""
    entries = np.array([0, 100, 200, 4095], "<u2").tobytes()
    made = of_ramp(Look(PNG, voi=Table(-1, 12, entries)))
    expected = np.select([RAMP <= -1, RAMP == 0, RAMP == 1], [0, 100, 200], 4095) / 4095 * 255
    np.testing.assert_array_equal(made, np.rint(expected))
    by_modality = of_ramp(Look(PNG, modality=Table(-1, 16, entries), window=Window(100.5, 201)))
    heard = np.select([RAMP <= -1, RAMP == 0, RAMP == 1], [0.0, 100, 200], 4095)
    np.testing.assert_array_equal(by_modality, linear(heard, 100.5, 201))


def test_floats_and_wide_integers_are_shown() -> None:
    values = np.linspace(-1, 3, 64, dtype="<f4")
    image = Image(8, 8, 1, 32, 32, signed=False, photometric="MONOCHROME2", floating=True)
    made = shown(rendered(Render((values.tobytes(),), EXPLICIT_LITTLE_ENDIAN, image, Look(PNG))))
    np.testing.assert_allclose(made.reshape(-1), (values + 1) / 4 * 255, atol=0.51)


def test_a_real_ct_looks_as_its_window_says() -> None:
    pixels = described(view_of("CT_small.dcm"))
    samples = np.frombuffer(frame_of(view_of("CT_small.dcm"), pixels, 0), "<i2").reshape(128, 128)
    made = of_file("CT_small.dcm", window=Window(40, 400))
    np.testing.assert_array_equal(made, linear(samples.astype(float) - 1024, 40, 400))


def test_a_palette_gives_its_colours() -> None:
    dataset = dcmread(FILES / "examples_palette.dcm")
    expected = apply_color_lut(dataset.pixel_array, dataset)
    made = of_file("examples_palette.dcm")
    np.testing.assert_array_equal(made, expected if expected.dtype == np.uint8 else expected >> 8)


def test_luminance_and_chroma_become_colours() -> None:
    """The same picture as RGB and as YBR_FULL_422, of one maker: they differ by the subsampling only."""
    plain = of_file("SC_rgb_dcmtk_+eb+cr.dcm").astype(int)
    coded = of_file("SC_ybr_full_422_uncompressed.dcm").astype(int)
    assert np.abs(plain[::20] - coded[::20]).mean() < 3


def test_big_endian_and_compressed_look_like_the_plain_object() -> None:
    plain = of_file("MR_small.dcm")
    for name in ("MR_small_bigendian.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm"):
        np.testing.assert_array_equal(of_file(name), plain)


def test_a_viewport_cuts_flips_and_keeps_proportions() -> None:
    """PS3.18 8.3.5.1.3."""
    whole = of_file("CT_small.dcm")
    part = of_file("CT_small.dcm", viewport=Viewport(64, 64, 32, 16, 64, 64))
    np.testing.assert_array_equal(part, whole[16:80, 32:96])
    flipped = of_file("CT_small.dcm", viewport=Viewport(64, 64, 32, 16, -64, -64))
    np.testing.assert_array_equal(flipped, part[::-1, ::-1])
    assert of_file("JPEG2000.dcm", viewport=Viewport(100, 100)).shape == (100, 25)
    assert of_file("CT_small.dcm", viewport=Viewport(256, 999)).shape == (256, 256)
    assert of_file("CT_small.dcm", viewport=Viewport(256, 999, only_smaller=True)).shape == (128, 128)
    with pytest.raises(Undecodable, match="nothing of the image"):
        of_file("CT_small.dcm", viewport=Viewport(64, 64, 500, 0))


def test_a_frame_s_own_window_stands_above_the_shared_one() -> None:
    """PS3.3 C.7.6.16.2.10: enhanced objects tell it by functional group."""
    header, own, shared = Dataset(), Dataset(), Dataset()
    for group, center in ((own, 7), (shared, 9)):
        voi = Dataset()
        voi.WindowCenter, voi.WindowWidth = [center, 1], [2, 3]
        group.FrameVOILUTSequence = Sequence([voi])
    header.SharedFunctionalGroupsSequence = Sequence([shared])
    header.PerFrameFunctionalGroupsSequence = Sequence([own])
    assert look_of(header, SIGNED, 0, Wanted(PNG)).window == Window(7, 2)
    assert look_of(header, SIGNED, 1, Wanted(PNG)).window == Window(9, 2)


def test_presentation_and_photometric_decide_what_is_white() -> None:
    header = Dataset()
    grey = Image(8, 8, 1, 8, 8, signed=False, photometric="MONOCHROME1")
    assert look_of(header, grey, 0, Wanted(PNG)).inverse
    assert not look_of(header, SIGNED, 0, Wanted(PNG)).inverse
    header.PresentationLUTShape = "INVERSE"
    assert look_of(header, SIGNED, 0, Wanted(PNG)).inverse
    header.PresentationLUTShape = "IDENTITY"
    assert not look_of(header, grey, 0, Wanted(PNG)).inverse


def test_pace_padding_and_the_frame_that_stands_for_all_are_read() -> None:
    header = Dataset()
    header.FrameTime, header.RepresentativeFrameNumber = "40", 3
    header.PixelPaddingValue, header.PixelPaddingRangeLimit = 65534, 2
    look = look_of(header, SIGNED, 0, Wanted(PNG))
    assert (look.delay, look.padding) == (40, (-2, 2))
    assert (representative(header, 3), representative(header, 2)) == (2, 0)


def test_a_missing_palette_is_refused() -> None:
    image = Image(8, 8, 1, 8, 8, signed=False, photometric="PALETTE COLOR")
    with pytest.raises(Undecodable, match="palette"):
        look_of(Dataset(), image, 0, Wanted(PNG))
