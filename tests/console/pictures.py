"""Pictures of pages, compared pixel by pixel in shades of grey."""

from __future__ import annotations

import base64
from typing import Final

from playwright.sync_api import Page

SEEN: Final = 24
"""Shades, of 256, that two pixels must differ in to count: less is how edges are smoothed."""

_GREY: Final = """async (png) => {
  const picture = new Image();
  picture.src = `data:image/png;base64,${png}`;
  await picture.decode();
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const ink = canvas.getContext("2d");
  ink.drawImage(picture, 0, 0);
  const {data} = ink.getImageData(0, 0, picture.width, picture.height);
  const grey = new Uint8Array(data.length / 4);
  for (let at = 0; at < grey.length; at++)
    grey[at] = Math.round(0.2126 * data[4 * at] + 0.7152 * data[4 * at + 1] + 0.0722 * data[4 * at + 2]);
  return btoa(String.fromCharCode(...grey));
}"""


def grey(page: Page, png: bytes) -> bytes:
    """Give a picture's pixels as shades of grey; the page is only where it is decoded."""
    return base64.b64decode(page.evaluate(_GREY, base64.b64encode(png).decode()))


def difference(one: bytes, other: bytes) -> float:
    """The share of pixels in which two pictures of one size differ to the eye."""
    return sum(abs(a - b) > SEEN for a, b in zip(one, other, strict=True)) / len(one)
