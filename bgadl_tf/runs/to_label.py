"""``to_label.csv`` of a run folder: what a person is asked, and what they have answered."""

from __future__ import annotations

import logging
from pathlib import Path

from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.oracles.answers_file import AnswersFile, write_template
from bgadl_tf.runs import synthesised

logger = logging.getLogger(__name__)

FILE = "to_label.csv"


def take(loop: ActiveLearner, out: Path) -> bool:
    """What a person has written since the last time: answers, asked for or not, and corrections.

    Returns:
        Whether there was any.

    Raises:
        DataError: The file is malformed; nothing is recorded.
    """
    file = out / FILE
    if not file.exists():
        return False
    person = AnswersFile(file, loop.dataset.class_names)
    news = loop.labelling.news(person.answers(loop.labelling.known_ids), person.source)
    if news:
        loop.tell(news, person.source, correct=True)
    return bool(news)


def ask(loop: ActiveLearner, out: Path) -> Path:
    """Adds what is asked to the file for answers, unless that is a person's own and wrong.

    Images that were synthesised are nowhere else to be seen, and are written beside it.
    """
    file, known = out / FILE, loop.labelling.known_ids
    asked = loop.ask().ids
    synthesised.write(loop, asked, out)
    write_template(file, asked, known)
    person = AnswersFile(file, loop.dataset.class_names)
    person.answers(known)
    if person.unmatched:
        logger.warning(
            "%s is left alone because of these rows, and lacks what is asked now: mend or remove "
            "them, then run the same command again",
            file,
        )
    return file
