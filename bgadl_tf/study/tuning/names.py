"""Names and options of a search, looked up before any trial. Imports TensorFlow."""

from __future__ import annotations

import dataclasses

from bgadl_tf.runs import file_settings
from bgadl_tf.runs.build import names_of
from bgadl_tf.runs.options import Options
from bgadl_tf.study.tuning import space as spaces
from bgadl_tf.study.tuning.tuning_file import Tuning


def checked(tuning: Tuning) -> Tuning:
    """The search with options of the types that learner and acquisition give them.

    Raises:
        ConfigError: A learner, acquisition, classifier or option does not exist, or one of the
            values cannot be.
    """
    with file_settings.flags_as_keys("", "space", "settings"):
        trial = tuning.tuned.trial({})
        names_of(trial)
        kinds = Options((), tuning.tuned.method.learner, tuning.tuned.acquisition)
        space = tuple(
            d.typed(kinds.kind_of(d.name.removeprefix(spaces.OPTIONS)))
            if d.name.startswith(spaces.OPTIONS)
            else d
            for d in tuning.space
        )
        firsts = {d.name: spaces.ends(d)[0] for d in space}
        for dimension in space:
            for value in spaces.ends(dimension):
                found = {**firsts, dimension.name: value}
                names_of(tuning.tuned.trial(found))
                names_of(tuning.tuned.best(found))
    return dataclasses.replace(tuning, space=space)
