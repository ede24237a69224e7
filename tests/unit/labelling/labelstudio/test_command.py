"""``bgadl labelstudio``: what it refuses before anything is done, and a whole run."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bgadl_tf.cli import main
from bgadl_tf.labelling.labelstudio import command, tokens
from tests.support.fake_label_studio import LEGACY, PERSONAL, FakeLabelStudio, serving
from tests.support.labelling import begin, right
from tests.support.run_tools import no_pictures

__all__ = ["no_pictures"]


@pytest.fixture
def fake() -> FakeLabelStudio:
    return FakeLabelStudio()


@pytest.fixture
def url(fake: FakeLabelStudio, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv(tokens.VARIABLE, LEGACY)
    with serving(fake) as url:
        yield url


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["push", "RUN"], "--url and --project is missing; give http://HOST:8080"),
        (["pull", "RUN", "--url", "URL"], "--project is missing"),
        (["pull", "RUN", "--url", "URL", "--project", "digits"], "has no project called 'digits'"),
        (["push", "RUN", "--url", "URL", "--project", "5"], "has no project 5"),
        (["push", "RUN", "--url", "URL", "--project", "ab"], "--project is 'ab'; expected"),
        (["pull", "RUN", "--file", "none.json"], "there is no such file"),
        (["pull", "RUN", "--file", "x", "--url", "URL"], "give either --file, or --url"),
        (["push", "RUN", "--url", "http://127.0.0.1:1", "--project", "5"], "cannot reach"),
        (["push", "RUN", "--url", "URL", "--project", "new"], "is the folder of no run"),
        (["push", "RUN", "--file", "x"], "unrecognized arguments"),
    ],
)
def test_bad_input_is_one_line(
    flags: list[str],
    message: str,
    fake: FakeLabelStudio,
    url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = {"RUN": str(tmp_path), "URL": url}
    try:
        status = main(["labelstudio", *(words.get(flag, flag) for flag in flags)])
    except SystemExit as ended:
        status = ended.code  # type: ignore[assignment]
    assert status == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert {method for method, _ in fake.calls} <= {"GET"}
    assert not [*tmp_path.iterdir()]


@pytest.mark.usefixtures("no_pictures")
def test_a_whole_run(
    fake: FakeLabelStudio,
    url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = begin(tmp_path, rounds=1)
    push = ["labelstudio", "push", str(run), "--url", url, "--project", "new"]
    pull = ["labelstudio", "pull", str(run), "--url", url, "--project", "1", "--no-export"]
    assert main(push) == 0
    assert re.fullmatch(r"bgadl run [0-9a-f]{6}", fake.projects[1]["title"])
    told = capsys.readouterr().out
    assert "project 1 asks what round 0 asks: 6 images, 6 of them new there" in told
    assert f"{url}/projects/1, then: bgadl labelstudio pull {run} --url {url} --project 1" in told
    assert main(pull) == command.WAITING
    assert "round 0 lacks 6 labels" in capsys.readouterr().out
    for task in fake.of(1):
        fake.annotate(task["id"], right(task["data"]["bgadl_id"]))
    assert main([*pull, "--no-fit"]) == 0
    assert "no label is missing; the same command without --no-fit" in capsys.readouterr().out
    assert main(push) == 0
    assert "no label is missing; 'bgadl labelstudio pull' trains" in capsys.readouterr().out
    monkeypatch.setenv(tokens.VARIABLE, PERSONAL)
    assert main(pull) == command.WAITING
    told = capsys.readouterr().out
    assert "new: 0 labels, 0 skips\n" in told
    assert "round 1 lacks 4 labels: 'bgadl labelstudio push" in told
    assert (run / "to_label.csv").read_text().count("\n") == 11
    assert main(push) == 0
    assert "6 images, 6" not in capsys.readouterr().out
    rows = [
        {"bgadl_id": t["data"]["bgadl_id"], "annotation_id": 1, "annotator": 1, "label": "two"}
        for t in fake.of(1)
        if not t["annotations"]
    ]
    assert len(rows) == 4
    file = tmp_path / "export.json"
    file.write_text(json.dumps(rows))
    assert main(["labelstudio", "pull", str(run), "--file", str(file), "--no-export"]) == 0
    told = capsys.readouterr().out
    assert "new: 4 labels, 0 skips\n" in told
    assert f"finished: 10 labels; everything is in {run}" in told
    assert main(push) == 0
    assert "the run is finished and asks nothing" in capsys.readouterr().out


def test_a_missing_module_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tokens.VARIABLE, LEGACY)
    for name in [name for name in sys.modules if name.startswith(command.__package__ or "")]:
        if name != command.__name__:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "requests", None)
    flags = ["--url", "http://127.0.0.1:1", "--project", "5"]
    assert main(["labelstudio", "push", str(tmp_path), *flags]) == 2
    told = capsys.readouterr().err
    assert "by the module requests, which is not installed: pip install 'bgadl_tf[serve]'" in told
