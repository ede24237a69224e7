"""The released algorithm of BGADL, written plainly in PyTorch from its description.

E, then G, then D and C take a step, and each of these three runs its forward passes anew.
Adam stands in for the released Adadelta, here as in every other contender.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  its usual name
from torch.utils.flop_counter import FlopCounterMode

from bgadl_tf.core.types import Images, ImageShape, Labels
from scripts.benchmarks.rivals import torch_networks as networks


class Released:
    """The four networks and how they take a step.

    Args:
        classifier: Name of C.
        shape: Of the images.
        tuned: Compute gradients of the network that steps alone (the released code computes those
            of every network that the loss runs through, and throws them away), with PyTorch's
            fused Adam and channels last.
        dtype: Of the arithmetic; bfloat16 by autocast.
    """

    def __init__(self, classifier: str, shape: ImageShape, tuned: bool, dtype: torch.dtype) -> None:
        self.encoder = networks.Encoder(shape)
        self.generator = networks.Generator(shape)
        self.discriminator = networks.discriminator(shape)
        self.classifier = networks.classifier(classifier, shape)
        self.tuned, self.dtype = tuned, dtype
        self.image_shape = (shape[2], *shape[:2])
        for network in self._all:
            network.train()
            if tuned:
                network.to(memory_format=torch.channels_last)
        self._optimizers = {
            network: torch.optim.Adam(network.parameters(), 1e-3, (0.5, 0.999), fused=tuned or None)
            for network in self._all
        }

    @property
    def _all(self) -> tuple[nn.Module, ...]:
        return self.encoder, self.generator, self.discriminator, self.classifier

    def train(self, images: Images, labels: Labels, steps: int, batch: int) -> None:
        """Take so many steps on batches in order, again and again."""
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
        classes = torch.from_numpy(labels).long()
        starts = itertools.cycle(range(0, len(images) - batch + 1, batch))
        for start in itertools.islice(starts, steps):
            x = pixels[start : start + batch].float() / 255.0
            self.step(x, classes[start : start + batch])

    def step(self, x: Tensor, y: Tensor) -> None:
        """One step of all networks.

        Args:
            x: ``[B, D, H, W]`` in [0, 1].
            y: ``[B]``.
        """
        label = F.one_hot(y, 10).float()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.dtype == torch.bfloat16):
            mean, log_variance = self.encoder(x)
            rebuilt = self._decode(mean, log_variance, label)
            kl = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).mean()
            self._descend(F.mse_loss(rebuilt, x) + kl, self.encoder)

            made = self.generator(self._noise(y), label)
            fooled = self._adversarial(made, 1.0)
            classified = F.cross_entropy(self.classifier(made), y)
            error = F.mse_loss(self._decode(*self.encoder(x), label), x)
            self._descend(fooled + classified + 0.75 * error, self.generator)

            with torch.set_grad_enabled(not self.tuned):
                made = self.generator(self._noise(y), label)
                rebuilt = self._decode(*self.encoder(x), label)
            real = self._adversarial(x, 1.0)
            fake = self._adversarial(made, 0.0) + self._adversarial(rebuilt, 0.0)
            entropies = [F.cross_entropy(self.classifier(group), y) for group in (x, made, rebuilt)]
            loss = real + fake + torch.stack(entropies).sum()
            self._descend(loss, self.discriminator, self.classifier)

    def _noise(self, y: Tensor) -> Tensor:
        return torch.randn(len(y), networks.LATENT)

    def _decode(self, mean: Tensor, log_variance: Tensor, label: Tensor) -> Tensor:
        latent = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        return self.generator(latent, label)

    def _adversarial(self, images: Tensor, target: float) -> Tensor:
        logits = self.discriminator(images)
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))

    def _descend(self, loss: Tensor, *networks: nn.Module) -> None:
        for network in self._all:
            network.zero_grad()
        if self.tuned:
            weights = [weight for network in networks for weight in network.parameters()]
            for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                weight.grad = gradient
        else:
            loss.backward()
        for network in networks:
            self._optimizers[network].step()


def flops(rival: Released, batch: int) -> float:
    """FLOPs of a step, counted by PyTorch while it runs."""
    with FlopCounterMode(display=False) as counter:
        rival.step(torch.zeros(batch, *rival.image_shape), torch.zeros(batch, dtype=torch.long))
    return float(counter.get_total_flops())
