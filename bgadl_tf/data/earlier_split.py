"""How a dataset was split before it changed, so that what is drawn then stays what it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.types import Id
from bgadl_tf.data.example_set import ExampleSet


class EarlierSplit(NamedTuple):
    """What was held out and what was labelled, as digests of contents by id.

    Fields:
        test: What was held out.
        labelled: What somebody has labelled since: never to be held out.
    """

    test: Mapping[Id, int]
    labelled: Mapping[Id, int]

    def rows_of(self, whole: ExampleSet) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which examples were held out and which are labelled, bool [N] each.

        They are known by their ids; where ids are missing, by their contents, too.

        Raises:
            DataError: An example cannot be read.
        """
        held = np.array([id_ in self.test for id_ in whole.ids], np.bool_)
        used = np.array([id_ in self.labelled for id_ in whole.ids], np.bool_)
        lost = [
            [digest for id_, digest in part.items() if id_ not in whole]
            for part in (self.test, self.labelled)
        ]
        if lost[0] or lost[1]:
            digests = whole.digests()
            held |= np.isin(digests, np.array(lost[0], np.uint64)) & ~used
            used |= np.isin(digests, np.array(lost[1], np.uint64)) & ~held
        return held, used
