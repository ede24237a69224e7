"""What TensorBoard's own loader reads from event files of its HParams page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata
from tensorboard.util.tensor_util import make_ndarray


def session(folder: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """Values and scores of the session whose one file is in a folder."""
    assert len([*folder.iterdir()]) == 1
    events, content = _loaded(folder)
    start = metadata.parse_session_start_info_plugin_data(content)
    values = {key: getattr(v, v.WhichOneof("kind")) for key, v in start.hparams.items()}
    tags = [tag for tag in events.Tags()["tensors"] if not tag.startswith("_hparams_")]
    return values, {tag: _last(events, tag) for tag in tags}


def experiment(folder: Path) -> tuple[set[str], set[str]]:
    """Names of what varies and of what it is measured by."""
    found = metadata.parse_experiment_plugin_data(_loaded(folder)[1])
    return {i.name for i in found.hparam_infos}, {i.name.tag for i in found.metric_infos}


def _loaded(folder: Path) -> tuple[Any, bytes]:
    events = EventAccumulator(str(folder))
    events.Reload()
    (content,) = events.PluginTagToContent(metadata.PLUGIN_NAME).values()
    return events, content


def _last(events: Any, tag: str) -> float:
    (event,) = events.Tensors(tag)
    return float(make_ndarray(event.tensor_proto))
