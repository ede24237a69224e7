"""The same networks as bgadl_tf's in PyTorch."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bgadl_tf.core.types import ImageShape

LATENT = 100


def classifier(name: str, shape: ImageShape, classes: int = 10) -> nn.Module:
    """Logits ``[B, C]`` of images ``[B, D, H, W]``."""
    return {"gal_cnn": _gal_cnn, "lenet": _lenet, "resnet18": _resnet18}[name](shape, classes)


def mlp(features: int, classes: int = 10) -> nn.Module:
    """Logits ``[B, C]`` of vectors ``[B, F]``."""
    return nn.Sequential(
        nn.Dropout(0.5), nn.Linear(features, 256), nn.ReLU(),
        nn.Dropout(0.5), nn.Linear(256, classes),
    )  # fmt: skip


def _gal_cnn(shape: ImageShape, classes: int) -> nn.Module:
    side = (shape[0] - 6) // 2
    return nn.Sequential(
        nn.Conv2d(shape[2], 32, 4), nn.ReLU(),
        nn.Conv2d(32, 32, 4), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(0.25), nn.Linear(32 * side * side, 128), nn.ReLU(),
        nn.Dropout(0.5), nn.Linear(128, classes),
    )  # fmt: skip


def _lenet(shape: ImageShape, classes: int) -> nn.Module:
    side = (shape[0] // 2 - 4) // 2
    return nn.Sequential(
        nn.Conv2d(shape[2], 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(0.25), nn.Linear(16 * side * side, 120), nn.ReLU(),
        nn.Dropout(0.5), nn.Linear(120, 84), nn.ReLU(),
        nn.Dropout(0.5), nn.Linear(84, classes),
    )  # fmt: skip


class _Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels),
        )  # fmt: skip
        self.shortcut = nn.Identity() if stride == 1 else nn.Sequential(
            nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        """Images to images."""
        return torch.relu(self.body(images) + self.shortcut(images))


def _resnet18(shape: ImageShape, classes: int) -> nn.Module:
    blocks: list[nn.Module] = []
    inputs = 64
    for stage, channels in enumerate((64, 128, 256, 512)):
        blocks += [
            _Block(inputs, channels, 2 if stage else 1),
            _Block(channels, channels, 1),
        ]
        inputs = channels
    return nn.Sequential(
        nn.Conv2d(shape[2], 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(512, classes),
    )  # fmt: skip


class Encoder(nn.Module):
    """Mean and logarithm of the variance, ``[B, Z]`` each."""

    def __init__(self, shape: ImageShape) -> None:
        super().__init__()
        self.trunk = _downsampling(shape, 0.0)
        self.mean, self.log_variance = nn.Linear(1024, LATENT), nn.Linear(1024, LATENT)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Of images ``[B, D, H, W]``."""
        hidden = self.trunk(images)
        return self.mean(hidden), self.log_variance(hidden)


def discriminator(shape: ImageShape) -> nn.Module:
    """Logit ``[B, 1]`` of images."""
    return nn.Sequential(_downsampling(shape, 0.2), nn.Linear(1024, 1))


class Generator(nn.Module):
    """Images of latents and one-hot labels."""

    def __init__(self, shape: ImageShape, classes: int = 10) -> None:
        super().__init__()
        side, stages = _halved(shape)
        channels = [64 * 2**stage for stage in reversed(range(stages))]
        start = 128 if stages < 3 else channels[0]
        parts: list[nn.Module] = []
        inputs = LATENT + classes
        for units in (1024, start * side * side):
            parts += [nn.Linear(inputs, units, bias=False), nn.BatchNorm1d(units), nn.ReLU()]
            inputs = units
        parts.append(nn.Unflatten(1, (start, side, side)))
        inputs = start
        for kernels in channels[1:]:
            parts += [
                nn.ConvTranspose2d(inputs, kernels, 4, 2, 1, bias=False),
                nn.BatchNorm2d(kernels), nn.ReLU(),
            ]  # fmt: skip
            inputs = kernels
        self.layers = nn.Sequential(
            *parts, nn.ConvTranspose2d(inputs, shape[2], 4, 2, 1), nn.Sigmoid()
        )

    def forward(self, latent: Tensor, label: Tensor) -> Tensor:
        """Images ``[B, D, H, W]``."""
        return self.layers(torch.cat([latent, label], 1))


def _downsampling(shape: ImageShape, slope: float) -> nn.Module:
    side, stages = _halved(shape)
    parts: list[nn.Module] = []
    inputs = shape[2]
    for stage in range(stages):
        channels = 64 * 2**stage
        parts.append(nn.Conv2d(inputs, channels, 4, 2, 1, bias=not stage))
        parts += [nn.BatchNorm2d(channels)] if stage else []
        parts.append(nn.LeakyReLU(slope))
        inputs = channels
    return nn.Sequential(
        *parts, nn.Flatten(), nn.Linear(inputs * side * side, 1024, bias=False),
        nn.BatchNorm1d(1024), nn.LeakyReLU(slope),
    )  # fmt: skip


def _halved(shape: ImageShape) -> tuple[int, int]:
    """Side after halving down to at most 7 pixels, and how often that is."""
    times = math.ceil(math.log2(shape[0] / 7))
    return shape[0] >> times, times


def size(network: nn.Module) -> int:
    """Number of weights that are trained."""
    return sum(weight.numel() for weight in network.parameters())
