"""A learner whose further examples are on probation: those that count, and how far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf

from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.initial_weights import SeedOf
from bgadl_tf.learners.learner import TRUNK, weighted
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.probation import gradients, judge
from bgadl_tf.learners.probation.groups import (
    PSEUDO,
    TRANSFORMED,
    Factors,
    counting,
    forms_of,
    named_terms,
    of_forms,
)
from bgadl_tf.learners.probation.options import ProbationOptions, check
from bgadl_tf.learners.pseudo_labels.learner import PseudoLabelling
from bgadl_tf.learners.running_means import RunningMeans
from bgadl_tf.models import losses, noise
from bgadl_tf.models.classifiers.base import Classifier


class ProbationLearner(PseudoLabelling):
    """What learners share that add groups of further examples to C's objective.

    A step asks which examples of each group ``agree``, puts ``parts`` together, lets C ``descend``
    them, and calls ``finish_step``. With no option of ``ProbationOptions`` set, all of it is what
    it would be without.

    Raises:
        ConfigError: An option has no effect with this classifier, or there is nothing on probation.
    """

    options_type: ClassVar[type[Options]] = ProbationOptions
    options: ProbationOptions
    further_groups: ClassVar[tuple[str, ...]] = ()
    """Names of the groups of further examples that it adds, beside transformed ones."""

    def __init__(self, classifier: Classifier, options: Options | None = None, **kw: Any) -> None:
        if options is not None and not isinstance(options, ProbationOptions):
            options = self.options_type(**vars(options))
        super().__init__(classifier, options, **kw)
        check(self.options, self.groups, classifier)
        if self.weight_names:
            self.group_weights = RunningMeans(self.weight_names)

    # What is on probation

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of all groups of further examples."""
        more = {TRANSFORMED: self.transforms_are_on_probation, PSEUDO: self.pseudo_labels}
        return self.further_groups + tuple(name for name, there in more.items() if there)

    @property
    def further_per_real(self) -> int:
        """Further examples of ``further_groups`` beside each labelled one in a step."""
        return len(self.further_groups)

    @property
    def transforms_are_on_probation(self) -> bool:
        """Whether C sees the labelled x as they are, and transformed ones beside them."""
        return self.options.transforms_on_probation and bool(self.transforms.kinds)

    @property
    def needs_views(self) -> bool:
        # Of vectors without views x itself would be what is on probation.
        return super().needs_views or (self.transforms_are_on_probation and self.uses_views)

    @property
    def on_probation(self) -> bool:
        """Whether any group may count less than fully."""
        chosen = self.options.agreement > 0 or self.options.gradient_similarity != "none"
        always = self.transforms_are_on_probation or self.pseudo_labels
        return (chosen and bool(self.groups)) or always

    @property
    def weight_names(self) -> tuple[str, ...]:
        """Of which weights running means are kept; none where nothing is on probation."""
        return self.groups if self.on_probation else ()

    @property
    def tracked(self) -> tuple[str, ...]:
        terms = (f"classification_{n}" for n in self.groups if n not in self.further_groups)
        weights = (f"weight_{name}" for name in self.weight_names)
        return (*super().tracked, *terms, *weights)

    # What is saved

    @property
    def teacher_memory(self) -> float | None:
        options = self.options
        return options.judge_ema if options.agreement and options.judge == "teacher" else None

    @property
    def saved_networks(self) -> dict[str, keras.Model]:
        weights = {"group_weights": self.group_weights} if self.weight_names else {}
        return {**super().saved_networks, **weights}

    def resets(self, warm_start: bool = False) -> tuple[str, ...]:
        return super().resets(warm_start) + (("group_weights",) if self.weight_names else ())

    def draw(self, seed_of: SeedOf) -> None:
        super().draw(seed_of)
        if self.weight_names:
            self.group_weights.clear()

    def facts(self) -> dict[str, float]:
        """``further_per_real``, where it has any, and the weights of the last steps in [0, 1]."""
        weights = {f"weight_{n}": float(self.group_weights.mean(n)) for n in self.weight_names}
        more = {"further_per_real": float(self.further_per_real)} if self.further_groups else {}
        return {**super().facts(), **more, **weights}

    # One step

    def prepared(self, batch: Batch, seed: tf.Tensor) -> Batch:
        """See ``Learner``; on probation, the labelled x stay as they are beside the changed."""
        changed = super().prepared(batch, seed)
        if not self.transforms_are_on_probation:
            return changed
        return changed._replace(examples=batch.examples, transformed=changed.examples)

    def agree(
        self, examples: Mapping[str, tf.Tensor], labels: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Which examples count: 1 or 0 for each, ``[B]`` by group; {} where all do.

        Args:
            examples: By group, each ``[B, *shape]``; images in [0, 1].
            labels: ``[B]``, of each group.
            seed: ``[2]``, of the judge's dropout masks.
        """
        options = self.options
        examples = {name: own for name, own in examples.items() if name != PSEUDO}  # has a gate
        if not options.agreement or not examples:
            return {}
        together = tf.stop_gradient(tf.concat([*examples.values()], 0))
        if options.judge == "passes":
            found = judge.passes(self.classifier, together, seed, options.judge_passes)
        else:
            found = (self.teacher if options.judge == "teacher" else self.classifier)(together)
        agreed = judge.agrees(found, tf.tile(labels, [len(examples)]), options.agreement)
        return dict(zip(examples, tf.split(agreed, len(examples)), strict=True))

    def group_factors(self) -> Factors:
        """Weight of each group in C's objective, against real examples, by this step."""
        own = {
            TRANSFORMED: self.options.transforms_weight,
            PSEUDO: self.options.pseudo_weight,
        }
        return {name: weight for name, weight in own.items() if name in self.groups}

    def made_of(self, batch: Batch, seed: tf.Tensor) -> Mapping[str, tf.Tensor]:
        """The ``further_groups`` where no other network makes them, each ``[B, *shape]``.

        Args:
            batch: What C learns from.
            seed: ``[2]``, of whatever is drawn.

        Returns:
            Floats as the networks see them, one of each labelled example.
        """
        return {}

    def beside(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Groups ``[B, *shape]`` of real examples that C learns from beside the labelled ones."""
        found = {} if batch.transformed is None else {TRANSFORMED: batch.transformed}
        return {**found, PSEUDO: batch.unlabelled} if self.pseudo_labels else found

    def term_of(self, group: str, log_probs: tf.Tensor, batch: Batch) -> tf.Tensor:
        """C's loss term ``[B]`` of a group, or of "real", from its log-probabilities ``[B, C]``."""
        if group == PSEUDO:
            return self.pseudo_term(log_probs, batch)
        return weighted(losses.cross_entropy(log_probs, batch.labels), batch)

    def terms_of_groups(
        self, log_probs: Mapping[str, tf.Tensor], batch: Batch
    ) -> dict[str, tf.Tensor]:
        """C's loss terms ``[B]`` by group; of "real" the mean over all forms of the examples."""
        return of_forms({g: self.term_of(g, own, batch) for g, own in log_probs.items()})

    def classified(self, terms: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """C's loss terms ``[B]`` by group, "real" first, of all the terms of a step."""
        names = {group: f"classification_{group}" for group in self.groups}
        return {g: terms[name] for g, name in {"real": "classification", **names}.items()}

    def classify(self, examples: Mapping[str, tf.Tensor], seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Log-probabilities ``[B, C]`` of C on each group; every example has its own mask."""
        seeds = [noise.fold(seed, number) for number in range(len(examples))]
        if self.trains_trunk:
            log_probs = self.classifier.train_on_groups([*examples.values()], seeds)
        else:
            passes = zip(examples.values(), seeds, strict=True)
            log_probs = [self.classifier(group, seed=own) for group, own in passes]
        return dict(zip(examples, log_probs, strict=True))

    def parts(self, counted: Mapping[str, tf.Tensor], factors: Factors) -> dict[str, tf.Tensor]:
        """What each group adds to C's objective, scalars; see ``descend``.

        Args:
            counted: Loss terms ``[B]`` by group, "real" first; see ``counting``.
            factors: ``group_factors`` of the step, read before it is taken.
        """
        means = {group: losses.global_mean(term) for group, term in counted.items()}
        return {g: mean * factors[g] if g in factors else mean for g, mean in means.items()}

    def per_example(self, counted: Mapping[str, tf.Tensor], factors: Factors) -> tf.Tensor:
        """C's objective per example, ``[B]``, whose mean is the sum of the ``parts``."""
        terms = [t * factors[g] if g in factors else t for g, t in counted.items()]
        return tf.add_n(terms)

    def descend(
        self,
        tape: tf.GradientTape,
        objectives: Mapping[str, tf.Tensor],
        parts: Mapping[str, tf.Tensor] | None = None,
    ) -> dict[str, tf.Tensor]:
        """See ``Learner``; parts that oppose the real one count less, if the options say so."""
        similarity = self.options.gradient_similarity
        if similarity == "none" or not parts or len(parts) < 2:
            return super().descend(tape, objectives, parts)
        rest = {name: value for name, value in objectives.items() if name != "classifier"}
        found = self.gradients(tape, rest)
        names = [name for name in ("classifier", TRUNK) if name in self.optimizers]
        variables = {name: self.trained_variables(name) for name in names}
        flat = [variable for name in names for variable in variables[name]]
        zero = tf.UnconnectedGradients.ZERO
        of_parts = {
            group: [*map(tf.convert_to_tensor, tape.gradient(part, flat, None, zero))]
            for group, part in parts.items()
        }
        total, shares = gradients.combined(of_parts, similarity)
        for name in names:
            found[name], total = total[: len(variables[name])], total[len(variables[name]) :]
        self.apply(found)
        return shares

    def finish_step(
        self,
        agreed: Mapping[str, tf.Tensor],
        shares: Mapping[str, tf.Tensor],
        batch: Batch,
        seed: tf.Tensor,
        **other: tf.Tensor,
    ) -> None:
        """What follows C's step: its teacher, its copies, and what each group counted.

        That is mean agreement, or mean weight of the pseudo-labels, times share of its gradient.

        Args:
            agreed: What ``agree`` returned, by group.
            shares: What ``descend`` returned.
            batch: Transformed.
            seed: ``[2]``, of the step.
            **other: Further weights of ``weight_names``, scalars.
        """
        self.teacher_follows()
        self.cross_fit(batch, seed)
        if not self.weight_names:
            return
        one = tf.ones(())
        own = agreed if batch.guess is None else {**agreed, PSEUDO: batch.guess.weights}
        weights = {
            group: tf.reduce_mean(own.get(group, one)) * shares.get(group, one)
            for group in self.groups
        }
        for name, value in self.group_weights.add({**weights, **other}).items():
            self.trackers[f"weight_{name}"].update_state(value)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        seed = self.step_seed()
        batch = self.prepared(self.unpack(data), seed)
        further = {**self.made_of(batch, noise.fold(seed, 2)), **self.beside(batch)}
        with tf.GradientTape(persistent=True) as tape:
            log_probs = self.classify({**forms_of(batch), **further}, noise.fold(seed, 1))
            terms = self.terms_of_groups(log_probs, batch)
            agreed = self.agree(further, batch.labels, noise.fold(seed, 3))
            counted = counting(terms, agreed)
            factors = self.group_factors()
            parts, total = self.parts(counted, factors), self.per_example(counted, factors)
            loss = losses.global_mean(total)
        shares = self.descend(tape, {"classifier": loss}, parts)
        self.finish_step(agreed, shares, batch, seed)
        return self.track(named_terms(terms), total, log_probs["real"], batch)
