"""Samples to pictures, in the decoder's child only (PS3.3 C.11, C.7.6.3, PS3.18 8.3.5)."""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

from scanward.adapters.local.decoder_codecs import decoded
from scanward.ports.decoder import Image, Look, Render, Table, Undecodable, Viewport, Window

Samples = NDArray[Any]
Grey = NDArray[np.float64]
_COLOURS: Final = 3
_BYTE: Final = 8
_WHITE: Final = 255
_TABLED: Final = 16
_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF"}


def rendered(task: Render) -> bytes:
    """Return frames as one picture. Raises Undecodable, and whatever a codec raises."""
    pictures = []
    for frame in task.frames:
        samples = decoded(frame, task.source, task.image)
        pictures.append(_placed(Pillow.fromarray(_shown(samples, task.image, task.look)), task.look.viewport))
    return _written(pictures, task.look)


def _shown(samples: Samples, image: Image, look: Look) -> NDArray[np.uint8]:
    """Return 8 bits a sample, grey or red, green and blue."""
    if look.palette is not None:
        channels = [_entry(samples, table) >> max(table.bits - _BYTE, 0) for table in look.palette]
        return np.stack(channels, axis=-1).astype(np.uint8)
    if image.samples == 1:
        return _grey(samples, image, look)
    if image.samples != _COLOURS:
        raise Undecodable("Pictures are made of one sample a pixel, or of three.")
    narrow = (samples >> max(image.stored - _BYTE, 0)).astype(np.uint8)
    if image.photometric.startswith("YBR_FULL"):
        return np.asarray(Pillow.fromarray(narrow, "YCbCr").convert("RGB"))
    return narrow


def _entry(samples: Samples | Grey, table: Table) -> NDArray[np.uint16]:
    """Look values up; those outside a table are its first or last entry (PS3.3 C.11.1.1)."""
    entries = np.frombuffer(table.entries, "<u2")
    places = np.clip(samples.astype(np.int64) - table.first, 0, len(entries) - 1)
    found: NDArray[np.uint16] = entries[places]
    return found


def _grey(samples: Samples, image: Image, look: Look) -> NDArray[np.uint8]:
    """Return stored values as grey: modality, then values of interest, then presentation (PS3.4 N.2)."""
    if image.allocated > _TABLED or image.floating:
        return _curve(samples, samples, look)
    # What each stored value becomes is computed once, and each sample only looks it up.
    signed = samples.dtype.kind == "i"
    every = np.arange(1 << samples.dtype.itemsize * _BYTE, dtype=np.uint32)
    values = every.astype(f"u{samples.dtype.itemsize}").view(samples.dtype) if signed else every
    shades = _curve(values, samples, look)
    found: NDArray[np.uint8] = shades[samples.view(f"u{samples.dtype.itemsize}") if signed else samples]
    return found


def _curve(values: Samples, samples: Samples, look: Look) -> NDArray[np.uint8]:
    """Return the shade of each value; `samples` are asked for their range where nothing names one."""
    heard = _modality(values, look)
    if look.window is not None:
        shade = _windowed(heard, look.window)
    elif look.voi is not None:
        shade = _entry(np.rint(heard), look.voi) / ((1 << look.voi.bits) - 1)
    else:
        low, high = _range(samples, look)
        shade = (heard - low) / ((high - low) or 1)
    shade = np.nan_to_num(np.clip(shade, 0, 1))
    if look.inverse:
        shade = 1 - shade
    if look.padding is not None:
        # Padding is the background, which is black whichever way the values run (PS3.3 C.7.5.1.1.2).
        shade = np.where((values >= look.padding[0]) & (values <= look.padding[1]), 0, shade)
    return np.rint(shade * _WHITE).astype(np.uint8)


def _modality(values: Samples, look: Look) -> Grey:
    if look.modality is not None:
        return _entry(values, look.modality).astype(np.float64)
    return values.astype(np.float64) * look.slope + look.intercept


def _range(samples: Samples, look: Look) -> tuple[float, float]:
    kept = samples[np.isfinite(samples)] if samples.dtype.kind == "f" else samples.reshape(-1)
    if look.padding is not None:
        seen = kept[(kept < look.padding[0]) | (kept > look.padding[1])]
        kept = seen if seen.size else kept
    if not kept.size:
        return 0.0, 1.0
    ends = _modality(np.array([kept.min(), kept.max()]), look)
    return float(ends.min()), float(ends.max())


def _windowed(heard: Grey, window: Window) -> Grey:
    """Return 0 to 1 (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    center, width = window.center, window.width
    if window.function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (heard - center) / width, -700, 700)))
    if window.function == "LINEAR_EXACT":
        return (heard - center) / width + 0.5
    if width <= 1:
        return (heard > center - 0.5).astype(np.float64)
    return (heard - (center - 0.5)) / (width - 1) + 0.5


def _placed(picture: Pillow.Image, viewport: Viewport | None) -> Pillow.Image:
    """Cut, flip and scale a picture, its proportions kept (PS3.18 8.3.5.1.3)."""
    if viewport is None:
        return picture
    left, top = round(viewport.left), round(viewport.top)
    right = left + round(abs(viewport.source_width)) if viewport.source_width else picture.width
    bottom = top + round(abs(viewport.source_height)) if viewport.source_height else picture.height
    box = left, top, min(right, picture.width), min(bottom, picture.height)
    if box[0] >= box[2] or box[1] >= box[3]:
        raise Undecodable("The viewport shows nothing of the image.")
    picture = picture.crop(box)
    if viewport.source_width < 0:
        picture = picture.transpose(Pillow.Transpose.FLIP_LEFT_RIGHT)
    if viewport.source_height < 0:
        picture = picture.transpose(Pillow.Transpose.FLIP_TOP_BOTTOM)
    scale = min(viewport.width / picture.width, viewport.height / picture.height)
    if scale == 1 or (scale > 1 and viewport.only_smaller):
        return picture
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Pillow.Resampling.BILINEAR)


def _written(pictures: list[Pillow.Image], look: Look) -> bytes:
    sink = io.BytesIO()
    options: dict[str, Any] = {}
    if look.profile:
        options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if look.media_type == "image/jpeg":
        options["quality"] = look.quality
    elif look.media_type == "image/png":
        options["compress_level"] = 3
    else:
        options |= {"save_all": True, "append_images": pictures[1:], "duration": look.delay, "loop": 0}
    pictures[0].save(sink, _FORMATS[look.media_type], **options)
    return sink.getvalue()
