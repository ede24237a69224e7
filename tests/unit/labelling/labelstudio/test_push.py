"""What a run asks is in Label Studio once, and in its order, whatever came between."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bgadl_tf.core.errors import BusyError, ConfigError, DataError, ServerError
from bgadl_tf.labelling.labelstudio import project as projects
from bgadl_tf.labelling.labelstudio import tasks
from bgadl_tf.labelling.labelstudio.api import LabelStudio
from bgadl_tf.labelling.labelstudio.asked import Asked, asked
from bgadl_tf.labelling.labelstudio.images import LocalFiles, Uploaded, local_files
from bgadl_tf.labelling.originals import Originals
from bgadl_tf.labelling.taken_up import taken_up
from bgadl_tf.runs.open_run import OpenRun
from tests.support.fake_label_studio import LEGACY, FakeLabelStudio, serving
from tests.support.labelling import CLASSES, begin, right
from tests.support.photos import NAMES

CLASS_NAMES = tuple(NAMES[index] for index in CLASSES)
IDS = tuple(f"{number}.png" for number in range(7))
ASKED = Asked(
    ids=IDS,
    scores=tuple(number / 6 for number in range(7)),
    guesses={IDS[0]: "two"},
    model_version="round-1",
    names={id_: [id_] for id_ in IDS} | {IDS[6]: [IDS[6], "earlier.png"]},
)


class Drawn:
    """Images that are made up."""

    def url(self, id_: str) -> str:
        return f"data:image/png;base64,{id_}"


@pytest.fixture
def fake() -> FakeLabelStudio:
    return FakeLabelStudio()


@pytest.fixture
def studio(fake: FakeLabelStudio) -> Iterator[LabelStudio]:
    with serving(fake) as url:
        yield LabelStudio(url, LEGACY, pauses=())


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenRun]:
    """A run that waits for its first labels; not to be changed."""
    with taken_up(begin(tmp_path_factory.mktemp("served"))) as opened:
        yield opened


def push(studio: LabelStudio, what: Asked = ASKED) -> tasks.Pushed:
    """As the command does."""
    described = projects.found(studio, "digits", "run")
    if described is None:
        project = projects.made(studio, "digits", CLASS_NAMES)
    else:
        project = projects.fitted(studio, described, CLASS_NAMES)
    return tasks.push(studio, project, what, Drawn())


def order(fake: FakeLabelStudio, studio: LabelStudio) -> list[str]:
    """In which ids are asked; everything is annotated then."""
    ids = []
    (number,) = fake.projects
    while any(not task["annotations"] for task in fake.of(number)):
        task = studio.get(f"/api/projects/{number}/next")
        fake.annotate(task["id"], "two")
        ids.append(task["data"]["bgadl_id"])
    return ids


def state(fake: FakeLabelStudio) -> object:
    """What matters, sorted; numbers and who made it aside."""
    ((number, project),) = fake.projects.items()
    shown = [
        (task["data"]["bgadl_id"], [(p["model_version"], p["score"]) for p in task["predictions"]])
        for task in fake.of(number)
    ]
    return project["model_version"], sorted(shown)


def test_tasks_predictions_and_order(fake: FakeLabelStudio, studio: LabelStudio) -> None:
    assert push(studio) == tasks.Pushed(created=7, predicted=0, annotated=0, asked=7)
    ((number, project),) = fake.projects.items()
    assert project["sampling"] == "Uncertainty sampling"
    assert (project["maximum_annotations"], project["show_collab_predictions"]) == (1, False)
    assert project["model_version"] == "round-1"
    first, second, *_ = fake.of(number)
    assert first["data"] == {"image": "data:image/png;base64,0.png", "bgadl_id": "0.png"}
    (prediction,) = first["predictions"]
    assert prediction["result"][0]["value"] == {"choices": ["two"]}
    assert (prediction["result"][0]["from_name"], prediction["score"]) == ("label", 0.0)
    assert second["predictions"][0]["result"] == []
    assert order(fake, studio) == [*IDS]


def test_what_is_there_is_not_sent_again(fake: FakeLabelStudio, studio: LabelStudio) -> None:
    push(studio)
    before, calls = state(fake), len(fake.calls)
    assert push(studio) == tasks.Pushed(created=0, predicted=0, annotated=0, asked=7)
    assert state(fake) == before
    assert {method for method, _ in fake.calls[calls:]} == {"GET"}


def test_a_new_query_takes_over(fake: FakeLabelStudio, studio: LabelStudio) -> None:
    push(studio)
    later = Asked((IDS[5], IDS[2], "9.png"), (0.0, 0.5, 1.0), {}, "round-2",
                  {id_: [id_] for id_ in (IDS[5], IDS[2], "9.png")})  # fmt: skip
    assert push(studio, later) == tasks.Pushed(created=1, predicted=2, annotated=0, asked=3)
    assert order(fake, studio)[:3] == [IDS[5], IDS[2], "9.png"]


def test_a_task_is_found_by_an_earlier_name(fake: FakeLabelStudio, studio: LabelStudio) -> None:
    project = projects.made(studio, "digits", CLASS_NAMES)
    body = [{"data": {"image": "x", "bgadl_id": "earlier.png"}, "predictions": []}]
    studio.send("POST", f"/api/projects/{project.id}/import", body)
    assert push(studio) == tasks.Pushed(created=6, predicted=1, annotated=0, asked=7)


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_push_that_was_killed_is_mended_by_the_next(
    late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "AT_ONCE", 2)
    monkeypatch.setattr(tasks, "ASKED_AT_ONCE", 3)
    whole = FakeLabelStudio()
    with serving(whole) as url:
        _twice(url)
    stop = 0
    while True:
        fake = FakeLabelStudio()
        fake.late, fake.stop_after = late, stop
        with serving(fake) as url:
            try:
                _twice(url)
            except BusyError:
                fake.stop_after = None
                _twice(url)
            else:
                break
        assert state(fake) == state(whole), f"killed at request {stop}"
        stop += 1
    assert stop == len(whole.calls) > 15


def _twice(url: str) -> None:
    """Two rounds; what was pushed of the first stays where the second is pushed."""
    studio = LabelStudio(url, LEGACY, pauses=())
    push(studio, ASKED)
    push(studio, Asked(IDS[2:5], (0.0, 0.5, 1.0), {}, "round-2", {i: [i] for i in IDS[2:5]}))
    studio.close()


def test_what_is_taken_in_silence_is_not_believed(studio: LabelStudio) -> None:
    push(studio)
    wrong = Asked(IDS[:2], (0.0, 1.5), {}, "round-2", {id_: [id_] for id_ in IDS[:2]})
    with pytest.raises(ServerError, match="took 0 of 2 predictions; give the same command again"):
        push(studio, wrong)
    wrong = Asked(("8.png",), (1.5,), {}, "round-2", {"8.png": ["8.png"]})
    with pytest.raises(ServerError, match=r"between 0 and 1.*\(HTTP 400\)"):
        push(studio, wrong)


def test_many_tasks_are_found_over_pages(fake: FakeLabelStudio, studio: LabelStudio) -> None:
    ids = [f"{number:03}.png" for number in range(230)]
    many = Asked(tuple(ids), (0.5,) * 230, {}, "round-1", {id_: [id_] for id_ in ids})
    assert push(studio, many).created == 230
    assert push(studio, many).created == 0
    (number,) = fake.projects
    for _ in range(3):
        for task in [*fake.of(number)]:
            fake.tasks[fake.new_id()] = {**task, "id": fake.new_id()}
    assert len(tasks.find(studio, number, ids)) == 230


def test_two_tasks_about_one_image_are_told(
    fake: FakeLabelStudio, studio: LabelStudio, caplog: pytest.LogCaptureFixture
) -> None:
    push(studio)
    (number,) = fake.projects
    twin = {**fake.of(number)[0], "id": fake.new_id(), "predictions": [], "annotations": []}
    fake.tasks[twin["id"]] = twin
    assert push(studio).created == 0
    assert "has 2 tasks about '0.png'" in caplog.text
    fake.annotate(twin["id"], "two")
    fake.annotate(fake.of(number)[1]["id"], skip=True)
    assert push(studio).annotated == 1


def test_images_too_large_for_one_request_are_sent_one_by_one(
    fake: FakeLabelStudio, studio: LabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "CHARACTERS_AT_ONCE", 60)
    push(studio)
    imports = [path for method, path in fake.calls if path.endswith("/import")]
    assert len(imports) == 4


def test_a_name_that_is_no_unicode_is_refused(studio: LabelStudio) -> None:
    odd = Asked(("\udcff.png",), (0.0,), {}, "round-1", {"\udcff.png": ["\udcff.png"]})
    with pytest.raises(DataError, match="has a name that is no Unicode"):
        push(studio, odd)


def test_projects_are_found_by_number_or_title(fake: FakeLabelStudio, studio: LabelStudio) -> None:
    with pytest.raises(ConfigError, match="a title of 3 to 50 characters, or 'new'"):
        projects.found(studio, "ab", "run")
    with pytest.raises(ConfigError, match="has no project 77, or none for the owner of the token"):
        projects.found(studio, "77", "run")
    assert projects.found(studio, "new", "run") is None
    title = projects.title_of("new", "run")
    assert title == "bgadl run"
    made = projects.made(studio, title, CLASS_NAMES)
    again = projects.found(studio, "new", "run")
    assert again is not None
    assert again["id"] == made.id == projects.opened(studio, again).id
    assert projects.found(studio, str(made.id), "run") == again
    projects.made(studio, title, CLASS_NAMES)
    with pytest.raises(ConfigError, match="has 2 projects called 'bgadl run': 1, 2; give"):
        projects.found(studio, "new", "run")


def test_a_project_is_fitted_or_refused(
    fake: FakeLabelStudio, studio: LabelStudio, caplog: pytest.LogCaptureFixture
) -> None:
    made = projects.made(studio, "digits", ("cat", "dog"))
    fake.projects[made.id]["sampling"] = "Sequential sampling"
    described = projects.found(studio, "digits", "run")
    assert described is not None
    with pytest.raises(
        DataError, match=r"project 1 \('digits', http.*\): it offers 'cat', 'dog', n"
    ):
        projects.fitted(studio, described, CLASS_NAMES)
    fitted = projects.fitted(studio, described, ("cat", "dog", "bird"))
    assert fitted.config.choices == ("cat", "dog", "bird")
    assert '<Choice value="bird" hotkey="3"' in fake.projects[made.id]["label_config"]
    assert "asks by 'Sequential sampling', not with the most informative image" in caplog.text
    fake.projects[made.id]["label_config"] = "<View/>"
    described = projects.found(studio, "digits", "run")
    assert described is not None
    with pytest.raises(DataError, match=r"project 1 .*: its labelling interface has 0 <Choices>"):
        projects.fitted(studio, described, ("cat", "dog"))


def test_what_a_run_asks(opened: OpenRun) -> None:
    what = asked(opened.loop)
    assert what.ids == opened.loop.ask().ids
    assert what.scores == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert not what.guesses
    assert what.model_version.startswith("bgadl-round-0-")
    assert asked(opened.loop) == what
    assert what.names == {id_: [id_] for id_ in what.ids}


def test_images_are_part_of_their_tasks_or_served(
    opened: OpenRun, fake: FakeLabelStudio, studio: LabelStudio
) -> None:
    originals = Originals(opened)
    id_ = opened.loop.ask().ids[0]
    assert originals.root is not None
    kind, _, content = Uploaded(originals).url(id_).partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content) == (originals.root / id_).read_bytes()
    root = originals.root.parent.parent
    served = local_files(studio, 1, originals, root)
    assert served == LocalFiles(originals, root)
    folder = f"{originals.root.parent.name}/{originals.root.name}"
    assert served.url(id_) == f"/data/local-files/?d={folder}/{id_}"
    local_files(studio, 1, originals, root)
    (storage,) = fake.storages
    assert storage["path"] == str(originals.root)
    for wrong in (originals.root, originals.root / "unlabelled", Path("/elsewhere")):
        with pytest.raises(ConfigError, match="does not contain"):
            local_files(studio, 1, originals, wrong)


def test_a_folder_that_is_not_served_is_told(
    fake: FakeLabelStudio, studio: LabelStudio, tmp_path: Path
) -> None:
    with taken_up(begin(tmp_path / "elsewhere")) as opened:
        with pytest.raises(ConfigError, match="is Label Studio started with LOCAL_FILES_SERVING"):
            local_files(studio, 1, Originals(opened), tmp_path)
        assert not fake.storages


def test_the_model_guesses_once_it_is_trained(tmp_path: Path) -> None:
    run = begin(tmp_path)
    with taken_up(run) as opened:
        loop = opened.loop
        loop.tell({id_: right(id_) for id_ in loop.ask().ids})
        with opened.progress:
            loop.fit()
        what = asked(loop)
        assert what.model_version.startswith("bgadl-round-1-")
        assert set(what.guesses) == set(what.ids)
        assert set(what.guesses.values()) <= set(CLASS_NAMES)
        loop.tell({what.ids[0]: 0})
        rest = asked(loop)
        assert rest.ids == what.ids[1:]
        assert rest.scores == what.scores[1:]
        assert rest.model_version == what.model_version
    shutil.move(tmp_path / "photos" / rest.ids[0], tmp_path / "photos" / "unlabelled" / "z.png")
    with taken_up(run) as opened:
        names = asked(opened.loop).names
    assert names["unlabelled/z.png"] == ["unlabelled/z.png", rest.ids[0]]
