"""The file that people read: it holds everything it shows, and asks nobody for anything."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from plotly.offline import get_plotlyjs

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import report
from bgadl_tf.study.report import html
from bgadl_tf.study.report.document import Picture
from tests.support.study.folders import (
    calibration,
    rewrite_rounds,
    write_answers,
    write_run,
)


class Page(HTMLParser):
    """Addresses and tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.addresses += [values[name] or "" for name in ("src", "href") if name in values]
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"] or ""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen arms with everything that a run can note of itself."""
    folder = tmp_path_factory.mktemp("study")
    arms = ["bgadl", "bald", "random", *(f"arm-{n}" for n in range(13))]
    for place, arm in enumerate(arms):
        for seed in range(3):
            run = folder / arm / f"seed_{seed}"
            top = 0.9 - 0.01 * place + 0.001 * seed * (place % 3)
            method = arm if place < 3 else "bgadl"
            write_run(run, [0.5, top - 0.1, top], method=method, seed=seed)
            write_answers(run, [[0, 1], [0, 0], [0, 1]], ["cat", "dog"])
            facts = {"reconstruction_error": 2.0, "bald_queried": 0.5, "bald_generated": 0.4}
            noted = calibration(0.9, top, 1000)
            rewrite_rounds(
                run,
                lambda r, noted=noted, facts=facts: {  # type: ignore[misc]
                    **r, "calibration": noted, "facts": facts if r["round"] else {},
                },
            )  # fmt: skip
    figures = folder / "bgadl/seed_0/figures"
    figures.mkdir()
    for number in (1, 2):
        path = figures / f"queried_and_generated_round_{number:02d}.png"
        Image.new("RGB", (8, 8)).save(path)
    report.write(folder)
    return folder


@pytest.fixture(scope="module")
def text(out: Path) -> str:
    return (out / "report.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere(text: str) -> None:
    page = Page(text)
    assert page.addresses
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in page.addresses)
    assert "link" not in page.tags
    assert page.policy.startswith("default-src 'none'; ")
    assert "http" not in page.policy
    # The library names addresses, of maps for example, that nothing here uses.
    ours = text.replace(get_plotlyjs(), "")
    assert len(ours) < len(text)
    assert not re.search(r"https?://|url\(|@import", ours)


def test_nothing_can_be_sent_to_plotlys_server(text: str) -> None:
    assert text.count('"showSendToCloud": false') == text.count("Plotly.newPlot(  ") == 5


def test_arms_are_switched_with_their_bands(text: str) -> None:
    assert text.count('"legendgroup":"arm-3"') == 3  # band, line, reliability
    assert "arm-12" in text
    assert text.count('<figure class="plot">') == 5


def test_every_section_is_there_once_and_linked(text: str) -> None:
    heads = re.findall(r'<h2 id="(s\d+)">(.*?)</h2>', text)
    assert len({place for place, _ in heads}) == len(heads)
    names = [re.sub(r"<.*?>", "", head) for _, head in heads]
    assert names == [
        "Learning curves", "Test accuracy (%), mean ± sd over runs",
        "Final accuracy in the paper's form", "Label efficiency, mean ± sd over runs",
        "Against random", "Against bald", "The paper's two-sample t-test", "Pairwise penalties",
        "Classes of what was bought", "Calibration after the last round", "x' beside x*",
        "Time per phase", "Facts of the rounds, mean ± sd over runs",
    ]  # fmt: skip
    for place, name in heads:
        assert f'<a href="#{place}">{name}</a>' in text


def test_markdown_and_html_say_the_same(out: Path, text: str) -> None:
    lines = (out / "report.md").read_text().splitlines()
    assert [line[3:] for line in lines if line.startswith("## ")] == [
        re.sub(r"<.*?>", lambda tag: "`" if "code" in tag.group() else "", name).replace(
            "x*", "x\\*"
        )
        for name in re.findall(r"<h2 id=.*?>(.*?)</h2>", text)
    ]
    rows = sum(line.startswith("| ") and not line.startswith("| -") for line in lines)
    assert text.count("<tr>") == rows
    assert "![bgadl, seed 0, round 2: x* beside x'](bgadl/seed_0/figures/" in "\n".join(lines)
    assert "(learning_curves.png)" in "\n".join(lines)


def test_what_names_hold_is_text(tmp_path: Path) -> None:
    page = html.render("<b>", ["# `<script>alert(1)</script>` <img src=x>\n"])
    assert {"script", "img"}.isdisjoint(Page(page).tags)
    assert "<title>&lt;b&gt;</title>" in page


def test_a_picture_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"cannot read .*gone\.png"):
        html.render("t", [Picture(tmp_path / "gone.png", "gone")])
