"""What may be changed between rounds, beside further answers: classes, and answers taken back."""

from __future__ import annotations

from collections.abc import Collection

from bgadl_tf.core.errors import PoolError
from bgadl_tf.core.types import Id
from bgadl_tf.data.class_names import index_of
from bgadl_tf.learners.growing import with_classes
from bgadl_tf.loop.assembly import Assembled


class Amending(Assembled):
    """Amendments of a loop."""

    def add_class(self, name: str) -> None:
        """Make a class known that no example has yet; the networks grow by it.

        Raises:
            PoolError: There is such a class.
            ConfigError: The networks cannot tell more classes apart.
        """
        if index_of(name, self.dataset.class_names) is not None:
            raise PoolError(f"{name!r} is a class already")
        with self.strategy.scope():
            grown = with_classes(self.learner, self.dataset.classes + 1)
        self._take_up(self.history.add_class(self.dataset, name, self.round), grown)
        self.history.keep(self.fitting.moment)

    def withdraw(self, ids: Collection[Id], source: str = "oracle") -> None:
        """Take back answers of this round, as if nobody had given them; on disk when this returns.

        They are asked for again. May be called while another thread is in ``ask`` or ``fit``.

        Args:
            ids: Answered, asked for or not.
            source: Who takes them back, for the ledger.

        Raises:
            PoolError: An id has no answer, or one that has been trained on; nothing is recorded.
        """
        with self.labelling.lock:
            self.labelling.withdraw(ids, source, has_begun=self._has_begun)
