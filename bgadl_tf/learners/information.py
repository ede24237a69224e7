"""Options by which x' = G(E(x), y) may keep more of the information of x.

Proposition 2.1 of Tran et al. (2019) takes a(x') to be close to a(x): that holds where x' is close
to x, and not where it is a mean of its class, which a decoder falls back on.
"""

from __future__ import annotations

from dataclasses import dataclass

from bgadl_tf.learners.adversarial import AdversarialOptions


@dataclass(frozen=True, kw_only=True)
class InformationOptions(AdversarialOptions):
    """What x' is compared in, drawn from, and moved to.

    Args:
        reconstruction: In what x' is compared with x: ``examples``, the squared error of the values
            (the paper); ``discriminator``, that of D's hidden features, through which D itself
            learns nothing (Larsen et al. 2016, "Autoencoding beyond pixels using a learned
            similarity metric", equation 7); ``both``, their sum.
        feature_weight: Weight of D's hidden features in that sum, or alone. Their mean squared
            error is multiplied by the number of values of an example, to be of its order.
        free_bits: Nats that every dimension of z may tell of x without a penalty (Kingma et al.
            2016, "Improving Variational Inference with Inverse Autoregressive Flow", equation 15).
        posterior: The z of the x' that C learns from and that rounds measure: ``sample`` of
            q(z | x) (the paper) or its ``mean``. E and G are trained by samples in either case.
        prior: Of z: ``standard``, N(0, I), or ``class``, N(m_y, I) with learned means m_y: what the
            label tells of z then costs nothing (Dilokthanakul et al. 2016, "Deep Unsupervised
            Clustering with Gaussian Mixture Variational Autoencoders", here with known classes).
        ascent_steps: Steps of z up the gradient of BALD; C then learns from x'' = G(z, y), the most
            informative on the way that C still takes for a y, in place of x'. 0 for none.
        ascent_radius: How far from where it was z may move, in standard deviations of the prior.
        ascent_passes: Dropout masks of the BALD that is climbed.
        pseudo_ordinary: Error of x', in units of its mean over the pool's examples of the step, up
            to which an example is ordinary enough for its pseudo-label to count; 0 for any.
    """

    reconstruction: str = "examples"
    feature_weight: float = 1.0
    free_bits: float = 0.0
    posterior: str = "sample"
    prior: str = "standard"
    ascent_steps: int = 0
    ascent_radius: float = 2.0
    ascent_passes: int = 8
    pseudo_ordinary: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, known in (
            ("reconstruction", ("examples", "discriminator", "both")),
            ("posterior", ("sample", "mean")),
            ("prior", ("standard", "class")),
        ):
            self.require(getattr(self, name) in known, name, f"one of {', '.join(known)}")
        self.require(
            self.warmup != "evidence" or self.reconstruction == "examples",
            "warmup",
            f"'steps' with reconstruction={self.reconstruction}: the evidence is in the examples",
        )
        for name in ("feature_weight", "ascent_radius"):
            self.require(getattr(self, name) > 0, name, "positive")
        for name in ("free_bits", "ascent_steps", "pseudo_ordinary"):
            self.require(getattr(self, name) >= 0, name, "at least 0")
        self.require(
            self.pseudo_weight > 0 or not self.pseudo_ordinary,
            "pseudo_ordinary",
            "0 where there are no pseudo-labels; add --option pseudo_weight=1",
        )
        self.require(self.ascent_passes >= 2, "ascent_passes", "at least 2: one agrees with itself")
