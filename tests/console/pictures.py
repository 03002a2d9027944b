"""Pictures of pages, compared pixel by pixel in shades of grey."""

from __future__ import annotations

import base64
from dataclasses import dataclass
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
  let text = "";
  for (let at = 0; at < grey.length; at += 8192) text += String.fromCharCode(...grey.subarray(at, at + 8192));
  return btoa(text);
}"""


_FIGURES: Final = """() => [...document.querySelectorAll("[data-figure], .list td.promised .countdown")]
  .filter((figure) => figure.checkVisibility()).map((figure) => figure.getBoundingClientRect())
  .filter((box) => box.width && box.top >= 0 && box.bottom < innerHeight - 60)
  .map((box) => [box.left, box.top, box.right, box.bottom].map(Math.round))"""


def grey(page: Page, png: bytes) -> bytes:
    """Give a picture's pixels as shades of grey; the page is only where it is decoded."""
    return base64.b64decode(page.evaluate(_GREY, base64.b64encode(png).decode()))


@dataclass(frozen=True)
class Shot:
    """What a window shows, in shades of grey, and where its figures are: left, top, right, bottom."""

    width: int
    shades: bytes
    figures: tuple[tuple[int, int, int, int], ...]

    def changed(self, later: Shot) -> float:
        """The share of the figures' pixels that another picture of the same window shows otherwise."""
        places = {row * self.width + at for a, b, c, d in self.figures for row in range(b, d) for at in range(a, c)}
        assert places, "no figure is in sight"
        return sum(abs(self.shades[at] - later.shades[at]) > SEEN for at in places) / len(places)


def shot(page: Page) -> Shot:
    """Take a picture of the window as it is now."""
    size = page.viewport_size
    assert size is not None
    boxes = page.evaluate(_FIGURES)
    return Shot(size["width"], grey(page, page.screenshot()), tuple(tuple(box) for box in boxes))


def difference(one: bytes, other: bytes) -> float:
    """The share of pixels in which two pictures of one size differ to the eye."""
    return sum(abs(a - b) > SEEN for a, b in zip(one, other, strict=True)) / len(one)
