"""The networks of ``keras.applications`` by name, with the preprocessing that each was made for."""

from __future__ import annotations

import difflib
import os
import re
import socket
from pathlib import Path
from types import ModuleType

import keras

from bgadl_tf.core.errors import ConfigError, UnknownNameError
from bgadl_tf.core.types import Shape
from bgadl_tf.models.pretrained.pixels import Pixels

HOST = "storage.googleapis.com"
"""Where Keras downloads weights from."""

LONGEST = 300
"""Characters of what Keras says that a message repeats."""

WAIT = 5.0
"""Seconds that it may take to answer."""

_SCALING_INSIDE = ("convnext", "efficientnet", "efficientnet_v2", "mobilenet_v3")
"""Modules whose networks take pixels from 0 to 255 and scale them by layers of their own."""


def names() -> tuple[str, ...]:
    """Every network's."""
    return tuple(name for name in dir(keras.applications) if name[0].isupper())


def pixels_of(name: str) -> Pixels:
    """What a network expects of pixels."""
    module = _module_of(name)
    return Pixels(0.0, 255.0, None if module in _SCALING_INSIDE else module)


def create(name: str, shape: Shape, weights: str | None = None) -> keras.Model:
    """A network from images to features ``[B, F]``, averaged over places.

    Args:
        name: Of ``keras.applications``.
        shape: (H, W, D) of the images; D = 1 becomes 3.
        weights: ``imagenet`` (None, too), ``none``, or a file of weights.

    Raises:
        UnknownNameError: There is no such network.
        ConfigError: Weights are not to be had, which is found before the network is made, or it
            cannot be built for these images.
    """
    refuse_unknown(name)
    weights = weights or "imagenet"
    check_weights(name, weights)
    height, width, _ = shape
    try:
        network: keras.Model = getattr(keras.applications, name)(
            include_top=False,
            weights="imagenet" if weights == "imagenet" else None,
            input_shape=(height, width, 3),
            pooling="avg",
        )
        if weights not in ("imagenet", "none"):
            network.load_weights(Path(weights).expanduser())
    except Exception as error:  # Keras raises a plain one where a download fails
        reason = " ".join(str(error).split())
        reason = reason if len(reason) <= LONGEST else f"{reason[:LONGEST]} …"
        of_others = "" if weights in ("imagenet", "none") else " (are they another network's?)"
        raise ConfigError(
            f"keras:{name} cannot be made for images of {height}x{width} pixels with the weights "
            f"{weights!r}{of_others}: {reason}"
        ) from error
    return network


def refuse_unknown(name: str) -> None:
    """Make sure that there is a network of this name.

    Raises:
        UnknownNameError: There is none.
    """
    known = names()
    if name not in known:
        lower = {one.lower(): one for one in known}
        close = difflib.get_close_matches(name.lower(), lower, n=1)
        hint = f" (did you mean {lower[close[0]]!r}?)" if close else ""
        raise UnknownNameError(
            f"keras.applications has no {name!r}{hint}; it has {', '.join(known)}"
        )


def check_weights(name: str, weights: str) -> None:
    """Make sure that the weights of a network are there, or can be downloaded.

    Args:
        name: Of the network.
        weights: ``imagenet``, ``none``, or a file.

    Raises:
        ConfigError: They are not.
    """
    if weights == "none":
        return
    if weights != "imagenet":
        if not Path(weights).expanduser().is_file():
            raise ConfigError(
                f"--weights is {weights!r}, which is no file; expected imagenet, none, or a file "
                "of weights"
            )
        return
    folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
    if any(_is_of(name, file.name) for file in folder.glob("*")) or _is_reachable():
        return
    raise ConfigError(
        f"the ImageNet weights of keras:{name} are not in {folder}, and {HOST} cannot be reached "
        "to download them: connect once, copy the file there, give --weights FILE, or --weights "
        "none to begin from random ones"
    )


def _is_of(name: str, file: str) -> bool:
    plain = re.sub(r"[^a-z0-9]", "", file.lower())
    fitting = [one for one in names() if one.lower() in plain]
    # ResNet50 is in what ResNet50V2's are called.
    return "notop" in plain and name == max(fitting, key=len, default=None)


def _is_reachable() -> bool:
    try:
        with socket.create_connection((HOST, 443), timeout=WAIT):
            return True
    except OSError:
        return False


def _module_of(name: str) -> str:
    modules: dict[str, ModuleType] = {
        key: value
        for key, value in vars(keras.applications).items()
        if isinstance(value, ModuleType) and hasattr(value, "preprocess_input")
    }
    for key, module in modules.items():
        if hasattr(module, name):
            return key
    # MobileNetV3's are not in the module that has their preprocessing.
    fitting = [key for key in modules if name.lower().startswith(key.replace("_", ""))]
    return max(fitting, key=len)
