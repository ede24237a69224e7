"""The same networks as bgadl_tf's, of stock Keras layers, as a tutorial would write them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import keras

from bgadl_tf.core.types import ImageShape

layers = keras.layers
LATENT = 100


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Layers made inside compute in this policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def classifier(name: str, shape: ImageShape, classes: int = 10) -> keras.Model:
    """Logits ``[B, C]`` of images ``[B, H, W, D]``; ``training=True`` switches dropout on."""
    return {"gal_cnn": _gal_cnn, "lenet": _lenet, "resnet18": _resnet18}[name](shape, classes)


def _gal_cnn(shape: ImageShape, classes: int) -> keras.Model:
    return keras.Sequential([
        keras.Input(shape),
        layers.Conv2D(32, 4, activation="relu"),
        layers.Conv2D(32, 4, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.25),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(classes),
    ])  # fmt: skip


def _lenet(shape: ImageShape, classes: int) -> keras.Model:
    return keras.Sequential([
        keras.Input(shape),
        layers.Conv2D(6, 5, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 5, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.25),
        layers.Dense(120, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(84, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(classes),
    ])  # fmt: skip


def _resnet18(shape: ImageShape, classes: int) -> keras.Model:
    images = keras.Input(shape)
    hidden = layers.ReLU()(_norm()(_convolution(64, 3, 1)(images)))
    for stage, channels in enumerate((64, 128, 256, 512)):
        for position in range(2):
            stride = 2 if stage and not position else 1
            shortcut = hidden
            if stride == 2:
                shortcut = _norm()(_convolution(channels, 1, stride)(hidden))
            hidden = layers.ReLU()(_norm()(_convolution(channels, 3, stride)(hidden)))
            hidden = _norm()(_convolution(channels, 3, 1)(hidden))
            hidden = layers.ReLU()(layers.Add()([hidden, shortcut]))
    hidden = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(hidden))
    return keras.Model(images, layers.Dense(classes)(hidden))


def freeze_batch_norm(model: keras.Model) -> keras.Model:
    """Let ``training=True`` mean dropout alone."""
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False
    return model


def encoder(shape: ImageShape) -> keras.Model:
    """Mean and logarithm of the variance ``[B, Z]`` each, of images."""
    images = keras.Input(shape)
    hidden = _downsampling(images, 0.0)
    return keras.Model(images, [layers.Dense(LATENT)(hidden), layers.Dense(LATENT)(hidden)])


def discriminator(shape: ImageShape) -> keras.Model:
    """Logit ``[B, 1]`` of images."""
    images = keras.Input(shape)
    return keras.Model(images, layers.Dense(1)(_downsampling(images, 0.2)))


def generator(shape: ImageShape, classes: int = 10) -> keras.Model:
    """Images of latents ``[B, Z]`` and one-hot labels ``[B, C]``."""
    latent, label = keras.Input((LATENT,)), keras.Input((classes,))
    side, stages = _halved(shape)
    channels = [64 * 2**stage for stage in reversed(range(stages))]
    start = 128 if stages < 3 else channels[0]
    hidden = layers.Concatenate()([latent, label])
    for units in (1024, side * side * start):
        hidden = layers.ReLU()(_norm()(layers.Dense(units, use_bias=False)(hidden)))
    hidden = layers.Reshape((side, side, start))(hidden)
    for kernels in channels[1:]:
        hidden = _upsampling(kernels, use_bias=False)(hidden)
        hidden = layers.ReLU()(_norm()(hidden))
    logits = _upsampling(shape[2], use_bias=True)(hidden)
    return keras.Model([latent, label], layers.Activation("sigmoid", dtype="float32")(logits))


def _downsampling(images: keras.KerasTensor, slope: float) -> keras.KerasTensor:
    hidden = images
    for stage in range(_halved(images.shape[1:])[1]):
        hidden = _convolution(64 * 2**stage, 4, 2, use_bias=not stage)(hidden)
        hidden = layers.LeakyReLU(slope)(_norm()(hidden) if stage else hidden)
    hidden = layers.Dense(1024, use_bias=False)(layers.Flatten()(hidden))
    return layers.LeakyReLU(slope)(_norm()(hidden))


def _convolution(
    channels: int, size: int, stride: int, use_bias: bool = False
) -> keras.layers.Layer:
    return layers.Conv2D(channels, size, stride, padding="same", use_bias=use_bias)


def _upsampling(channels: int, use_bias: bool) -> keras.layers.Layer:
    return layers.Conv2DTranspose(channels, 4, 2, padding="same", use_bias=use_bias)


def _norm() -> keras.layers.Layer:
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)


def _halved(shape: tuple[int, ...]) -> tuple[int, int]:
    """Side after halving down to at most 7 pixels, and how often that is."""
    times = math.ceil(math.log2(shape[0] / 7))
    return shape[0] >> times, times
