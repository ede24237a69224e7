"""What people who label may do, from any tab, while the rounds go on."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from bgadl_tf.core.errors import ConfigError, PoolError
from bgadl_tf.core.types import Id, Json, Label
from bgadl_tf.labelling.answers import Answers
from bgadl_tf.labelling.leases import Leases
from bgadl_tf.labelling.view import Showing, view
from bgadl_tf.labelling.worker import Phase, Worker
from bgadl_tf.runs.open_run import OpenRun


class RefusedError(PoolError):
    """What cannot be done now, or not any more; nothing has changed."""


@dataclass(frozen=True)
class Who:
    """One tab of somebody.

    Args:
        tab: Told apart from every other tab.
        name: Who labels in it; empty before they have said so.
    """

    tab: str
    name: str = ""

    @property
    def source(self) -> str:
        """What the ledger calls them."""
        return f"page:{self.name}"


class Session:
    """One run, several people; every method may be called from any thread.

    What a method has recorded is on disk when it returns, and it returns what to show next.

    Args:
        run: Held by this process.
        worker: Asks and trains.
        leases: Which image is before whom.
    """

    def __init__(self, run: OpenRun, worker: Worker, leases: Leases | None = None) -> None:
        self._run, self._worker, self._leases = run, worker, leases or Leases()
        self._answers = Answers(run.loop)
        # Another run on this port may have other images of the same names.
        self._images = secrets.token_hex(8)

    def show(self, who: Who) -> Json:
        """What a tab shows: see ``view``; and ``images``, by which browsers tell old ones."""
        with self._worker.changed:
            unanswered = self._unanswered
            own = self._leases.take(who.tab, unanswered) if who.name else None
            others = self._leases.others(who.tab, unanswered)
            showing = Showing(own, unanswered, others, self._answers.newest_of(who.source))
            shown = view(self._run, self._worker, showing, self._answers)
            return {**shown, "images": self._images}

    def release(self, who: Who) -> None:
        """A tab is gone: others may have its image at once."""
        with self._worker.changed:
            self._leases.release(who.tab)

    def answer(self, who: Who, id_: Id, label: Label | None) -> Json:
        """Say what an image shows; None to skip it.

        The same once more, as after an answer that got lost on its way, changes nothing.

        Raises:
            RefusedError: It is not asked, or asked of somebody else.
            PoolError: The label is no class.
        """
        with self._worker.changed:
            given = self._answers.of(id_)
            if given is not None and (given.source, given.label) == (who.source, label):
                return self.show(who)
            if given is not None:
                by = "you have" if given.source == who.source else "somebody else has"
                raise RefusedError(f"{by} answered this image meanwhile; it can be corrected")
            if id_ not in self._unanswered:
                raise RefusedError("nobody asks about this image now; nothing was recorded")
            if self._leases.is_with_another(who.tab, id_):
                raise RefusedError("this image is with somebody else by now")
            self._run.loop.tell({id_: label}, who.source)
            self._leases.release(who.tab)
            self._worker.answered()
            return self.show(who)

    def undo(self, who: Who) -> Json:
        """Take back what somebody said last, of what is in force; its image comes back.

        Raises:
            RefusedError: There is nothing, or it is trained on already.
        """
        with self._worker.changed:
            last = self._answers.newest_of(who.source)
            if last is None:
                raise RefusedError("there is nothing to undo")
            if last.before is not None:
                answer = {last.id: last.before.label}
                self._run.loop.tell(answer, who.source, correct=True)
                return self.show(who)
            if self._worker.phase == Phase.TRAINING:
                raise RefusedError(_TRAINED)
            if self._worker.phase in (Phase.CHOOSING, Phase.EXPORTING):
                raise RefusedError("answers can be undone again in a moment; nothing has changed")
            try:
                self._run.loop.withdraw([last.id], who.source)
            except PoolError:
                raise RefusedError(_TRAINED) from None
            self._leases.give(who.tab, last.id)
            self._worker.answered()
            return self.show(who)

    def correct(self, who: Who, id_: Id, label: Label | None) -> Json:
        """Change an answer, also while a round trains: then it holds from the next one on.

        Raises:
            RefusedError: The image has no answer yet.
            PoolError: The label is no class.
        """
        with self._worker.changed:
            if self._answers.of(id_) is None:
                raise RefusedError("this image has no answer that could be corrected")
            self._run.loop.tell({id_: label}, who.source, correct=True)
            return self.show(who)

    def add_class(self, who: Who, name: str) -> Json:
        """Make a class known that no example has yet.

        Raises:
            RefusedError: The networks are in use.
            PoolError: There is such a class.
            ConfigError: The networks cannot tell more classes apart.
        """
        with self._worker.changed:
            if self._worker.phase not in (Phase.LABELLING, Phase.FINISHED):
                raise RefusedError(
                    "a class can be added while images are asked about, not while the model trains"
                )
            try:
                self._run.add_class(name)
            except ValueError as error:  # two classes could be meant
                raise ConfigError(str(error)) from None
            return self.show(who)

    def retry(self, who: Who) -> Json:
        """Go on after a failure."""
        self._worker.retry()
        return self.show(who)

    @property
    def _unanswered(self) -> tuple[Id, ...]:
        """What can be answered now, the most informative first."""
        loop = self._run.loop
        if self._worker.phase != Phase.LABELLING:
            return ()
        return loop.labelling.open(loop.round).ids


_TRAINED = "your last answer is trained on already; correct it in the list of recent answers"
