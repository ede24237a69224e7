"""People label on the page, in a real browser."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.labelling.worker import PAUSE_SECONDS, Phase
from tests.support import photos
from tests.support.labelling import CLASSES, begin, copied, labelling, ledger, right, served
from tests.support.repository import REPOSITORY
from tests.support.run_tools import no_export, no_pictures
from tests.support.server_process import free_ports, listens, wait

__all__ = ["no_export", "no_pictures"]

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 240_000

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
    pytest.mark.usefixtures("no_pictures", "no_export"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    with playwright.sync_playwright() as driver:
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        started = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield started
        started.close()


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Waits for labels; to be copied."""
    return begin(tmp_path_factory.mktemp("page"))


@pytest.fixture
def run(begun: Path, tmp_path: Path) -> Path:
    """Waits for labels."""
    return copied(begun, tmp_path)


class Tab:
    """A tab of somebody in a browser of their own, and what it must never do.

    Args:
        browser: Starts it.
        url: Of the page.
        name: Who labels in it.
        options: Of the browser.
    """

    def __init__(self, browser: Any, url: str, name: str, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self._watch(request.url, url))
        self.page.on("console", lambda message: self._listen(message.text))
        self.page.goto(url)
        self.page.locator("#name").wait_for()
        self.page.keyboard.type(name)
        self.page.keyboard.press("Enter")

    def _watch(self, asked: str, url: str) -> None:
        if not asked.startswith((url, "data:")):
            self.wrong.append(f"asks for {asked}")

    def _listen(self, message: str) -> None:
        if "Content Security Policy" in message:
            self.wrong.append(message)

    def expect(self, selector: str) -> Any:
        """What is expected of an element."""
        return playwright.expect(self.page.locator(selector))

    def shows(self, selector: str, text: str) -> None:
        """An element comes to hold a text."""
        self.expect(selector).to_contain_text(text, timeout=PATIENCE_MS)

    @property
    def id(self) -> str:
        """Of the image that it asks about, as soon as there is one."""
        self.expect("#image").to_be_visible(timeout=PATIENCE_MS)
        return str(self.page.locator("#id").inner_text())

    def press(self, key: str) -> str:
        """Press a key that answers; the image that was answered."""
        id_ = self.id
        self.page.keyboard.press(key)
        self.expect("#id").not_to_have_text(id_, timeout=PATIENCE_MS)
        return id_

    def answer(self) -> str:
        """Answer rightly; the image that was answered."""
        return self.press(str(1 + [photos.NAMES[c] for c in CLASSES].index(right(self.id))))

    def close(self) -> None:
        """Close it; it has done nothing wrong."""
        self.context.close()
        assert self.wrong == []


def label_with_keys(tab: Tab, run: Path, restart: Callable[[], None]) -> None:
    """A round with the keyboard alone, with the server restarted in its middle."""
    keyboard = tab.page.keyboard
    first = tab.answer()
    second = tab.press("s")
    assert [(line["id"], line["source"]) for line in ledger(run)] == [
        (first, "page:Ann"), (second, "page:Ann"),
    ]  # fmt: skip
    assert ledger(run)[1]["label"] is None
    restart()
    tab.shows("#query-text", "2 of 6")
    tab.page.reload()
    assert tab.id not in (first, second)
    # Undone twice, across the restart and the reload.
    keyboard.press("u")
    tab.shows("#id", second)
    keyboard.press("u")
    tab.shows("#id", first)
    tab.shows("#query-text", "0 of 6")
    wrong = tab.press("1" if right(first) != "zero" else "2")
    assert wrong == first
    # Corrected in the list of recent answers.
    keyboard.press("c")
    keyboard.press("Enter")
    tab.expect("#correct-dialog").to_be_visible()
    keyboard.press(str(1 + ["zero", "one", "two"].index(right(first))))
    tab.shows("#recent li:first-child", right(first))
    assert ledger(run)[-1]["correction"] is True
    # A class that nobody had thought of.
    keyboard.press("n")
    tab.expect("#class-dialog").to_be_visible()
    keyboard.type("three")
    keyboard.press("Enter")
    tab.shows("#classes", "three")
    odd = tab.press("4")
    tab.shows("#recent li:first-child", "three")
    keyboard.press("u")
    tab.shows("#id", odd)
    for _ in range(5):
        tab.answer()
    tab.shows("#query-text", "of 4 · round 1 of 2")
    tab.shows("#guess-text", "BALD")
    answers = {line["id"]: line["label"] for line in ledger(run) if not line.get("withdrawn")}
    names = ("zero", "one", "two", "three")
    assert {id_: names[label] for id_, label in answers.items()} == {i: right(i) for i in answers}
    assert len(answers) == 6


@pytest.mark.usefixtures("eager")
def test_a_round_with_the_keyboard_alone(browser: Any, run: Path) -> None:
    (port,) = free_ports(1)

    @contextmanager
    def server() -> Iterator[str]:
        with labelling(run) as here:
            here.until(Phase.LABELLING)
            with served(here, port=port) as url:
                yield url

    started = server()
    tab = Tab(browser, started.__enter__(), "Ann")

    def restart() -> None:
        nonlocal started
        started.__exit__(None, None, None)
        tab.shows("#banner", "trying again")
        started = server()
        started.__enter__()

    try:
        label_with_keys(tab, run, restart)
        tab.page.keyboard.press("h")
        tab.shows("#guess-text", "hidden")
        tab.page.reload()
        tab.shows("#guess-text", "hidden")
        tab.close()
    finally:
        started.__exit__(None, None, None)


@pytest.mark.slow
def test_a_round_with_the_keyboard_alone_through_a_kill(
    browser: Any, run: Path, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    log = tmp_path / "log"
    command = [sys.executable, "-m", "bgadl_tf.cli", "label", str(run), "--port", str(port)]

    def start() -> subprocess.Popen[bytes]:
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, cwd=REPOSITORY,
                env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
            )  # fmt: skip
        wait(lambda: b"label at http" in log.read_bytes(), process, log, 240)
        return process

    process = start()
    tab = Tab(browser, f"http://127.0.0.1:{port}/", "Ann")

    def restart() -> None:
        nonlocal process
        process.kill()
        process.wait()
        assert not listens(port)
        tab.shows("#banner", "trying again")
        process = start()

    try:
        label_with_keys(tab, run, restart)
        refused = subprocess.run(
            [*command[:-1], "0"], capture_output=True, text=True, cwd=REPOSITORY, timeout=240
        )
        assert refused.returncode == 2
        assert "another process is working in" in refused.stderr
        for _ in range(4):
            tab.answer()
        tab.shows("#status-text", "All is answered")
        tab.page.wait_for_timeout(1000 * PAUSE_SECONDS + 500)  # it trains by now
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert "every answer is kept" in log.read_text()
        process = start()
        tab.shows("#query-text", "round 2 of 2")
        for _ in range(4):
            tab.answer()
        tab.shows("#status-text", "Finished")
        tab.close()
        assert (run / "export/classifier/1/saved_model.pb").exists()
    finally:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("eager")
def test_two_people_at_once(browser: Any, run: Path) -> None:
    with labelling(run) as here, served(here) as url:
        here.until(Phase.LABELLING)
        ann, bob = Tab(browser, url, "Ann"), Tab(browser, url, "Bob")
        assert ann.id != bob.id
        ids = [tab.answer() for tab in (ann, bob, ann, ann)]
        left = {ann.id, bob.id}
        assert len(left) == 2
        # What is with Bob is not asked of Ann, until his tab is closed.
        ids.append(ann.answer())
        ann.shows("#status-text", "with others")
        bobs = bob.id
        bob.page.goto("about:blank")
        assert ann.id == bobs
        ids.append(ann.answer())
        assert left < {*ids}
        ann.shows("#query-text", "0 of 4 · round 1 of 2")
        bob.page.go_back()
        assert ann.id != bob.id
        ann.close()
        bob.wrong = [text for text in bob.wrong if "about:blank" not in text]
        bob.close()
    lines = ledger(run)
    assert [line["id"] for line in lines] == ids
    assert len({*ids}) == 6
    assert {line["source"] for line in lines} == {"page:Ann", "page:Bob"}


@pytest.mark.usefixtures("eager")
def test_more_than_ten_classes_are_searched(browser: Any, tmp_path: Path) -> None:
    names = ["zero", "one", "two", *(f"class number {n}" for n in range(20, 30))]
    run = begin(tmp_path, new_classes=names)
    with labelling(run) as here, served(here) as url:
        here.until(Phase.LABELLING)
        tab = Tab(browser, url, "Ann")
        keyboard = tab.page.keyboard
        ids = [tab.id]
        tab.expect("#search").to_be_focused()
        keyboard.type("TW")
        tab.expect("#classes button").to_have_count(1)
        tab.press("Enter")
        ids.append(tab.id)
        tab.expect("#search").to_have_value("")
        keyboard.type("number")
        for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
            keyboard.press(key)
        tab.press("Enter")
        ids.append(tab.id)
        keyboard.type("s")  # is searched for, not skipped
        tab.press("Alt+s")
        tab.expect("#search").to_have_value("")
        keyboard.press("Enter")  # nothing was searched for
        keyboard.press("Escape")
        tab.page.wait_for_timeout(2000)
        tab.expect("#search").not_to_be_focused()
        ids.append(tab.press("s"))
        assert tab.id
        keyboard.press("/")
        tab.expect("#search").to_be_focused()
        tab.close()
    said = [(line["id"], line["label"]) for line in ledger(run)]
    assert said == list(zip(ids, [2, 4, None, None], strict=True))


@pytest.mark.usefixtures("eager")
def test_on_a_phone(browser: Any, run: Path) -> None:
    phone = {
        "viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True,
        "device_scale_factor": 2,
    }  # fmt: skip
    with labelling(run) as here, served(here) as url:
        here.until(Phase.LABELLING)
        tab = Tab(browser, url, "Ann", **phone)
        first = tab.id
        for selector in ("#classes button:nth-child(2)", "#skip", "#undo", "#new", "#zoom-in"):
            box = tab.page.locator(selector).bounding_box()
            assert min(box["width"], box["height"]) >= 44
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 360
        image = tab.page.locator("#image")
        assert image.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
        assert image.bounding_box()["height"] > 200
        before = image.bounding_box()["height"]
        tab.page.locator("#zoom-in").tap()
        assert image.bounding_box()["height"] > before
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
        tab.page.locator("#classes button:nth-child(2)").tap()
        tab.expect("#id").not_to_have_text(first, timeout=PATIENCE_MS)
        tab.page.locator("#recent button").first.tap()
        tab.page.locator("#correct-classes button:nth-child(3)").tap()
        tab.shows("#recent", "two")
        tab.page.locator("#undo").tap()
        tab.shows("#recent", "one")
        tab.page.locator("#undo").tap()
        tab.shows("#id", first)
        tab.close()
