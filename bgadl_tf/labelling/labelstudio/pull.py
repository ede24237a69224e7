"""Answers from a project of Label Studio."""

from __future__ import annotations

from bgadl_tf.labelling.labelstudio import exports, tasks, telling
from bgadl_tf.labelling.labelstudio.api import LabelStudio
from bgadl_tf.labelling.labelstudio.names import every_name
from bgadl_tf.labelling.labelstudio.project import Project
from bgadl_tf.loop.active_learner import ActiveLearner


def pull(loop: ActiveLearner, studio: LabelStudio, project: Project) -> telling.Pulled:
    """Tell a run what is new in a project: its export is the truth.

    Raises:
        ServerError: Label Studio does not answer, or says no.
        DataError: It does not export what is expected.
    """
    exported = studio.get(f"/api/projects/{project.id}/export", exportType="JSON")
    annotations = exports.parse(exported, project.config.control)
    answers = telling.understood_by(loop, annotations)
    given = {
        id_: source
        for id_, source in telling.given_by(loop).items()
        if id_ not in answers.annotated
    }
    names = every_name(loop, given)
    there = tasks.find(studio, project.id, [name for each in names.values() for name in each])
    # Without its task an answer may be of another project.
    gone = [id_ for id_, each in names.items() if any(name in there for name in each)]
    return telling.told(loop, answers, {id_: given[id_] for id_ in gone})
