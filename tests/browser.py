"""A real browser for tests of pages: chromium as the system has it, without a screen."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PHONE = {"width": 360, "height": 740}
SMALLEST_BUTTON = 44


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; a test that needs one is skipped where there is none, and fails there in the CI."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "chromium is not installed; .ci/install chromium does it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    # Its sandbox refuses to run for root, as whom a container runs its tests.
    arguments = ["--no-proxy-server", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def phone(browser: Browser, **options: object) -> BrowserContext:
    """A telephone of its own, with its own cookies."""
    context = browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True, **options)
    # Nothing here takes long; a machine that is busy may.
    context.set_default_timeout(60_000)
    return context


def check_layout(page: Page) -> None:
    """No scrolling to the side, and nothing to press that a thumb would miss."""
    wide, there = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= there, page.url
    assert page.title()
    assert page.evaluate("document.documentElement.lang") == "en"
    pressed = page.locator("button:visible, input:visible, summary:visible, a:visible")
    for place in range(pressed.count()):
        box = pressed.nth(place).bounding_box()
        assert min(box["width"], box["height"]) >= SMALLEST_BUTTON, pressed.nth(place).inner_text()


CONTRASTS = """() => {
  const light = colour => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const behind = element => {
    const colour = getComputedStyle(element).backgroundColor;
    return /, 0\\)/.test(colour) ? behind(element.parentElement) : colour;
  };
  const texts = [...document.querySelectorAll("main *")].filter(element => [...element.childNodes]
    .some(node => node.nodeType === Node.TEXT_NODE && node.textContent.trim()));
  return texts.map(element => {
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => a - b);
    return [element.textContent.trim(), (other + 0.05) / (one + 0.05)];
  });
}"""


def check_contrast(page: Page) -> None:
    """All text stands out from what is behind it as far as WCAG 2 asks for (4.5 to 1)."""
    contrasts = page.evaluate(CONTRASTS)
    assert contrasts
    assert [text for text, ratio in contrasts if ratio < 4.5] == []
