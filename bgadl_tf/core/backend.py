"""Whether Keras runs on TensorFlow in the way that this package needs, looked up before it starts.

Another backend would end in the traceback of an import, another data format in one of a layer.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from bgadl_tf.core.errors import ConfigError


def check() -> None:
    """Refuse a Keras that is set to another backend, data format or float type.

    Reads what Keras reads, the environment variable KERAS_BACKEND and ``keras.json``, and imports
    nothing.

    Raises:
        ConfigError: Names the setting, where it stands, and how to mend it.
    """
    home = os.environ.get("KERAS_HOME")
    path = (Path(home) if home else Path("~/.keras").expanduser()) / "keras.json"
    try:
        saved = json.loads(path.read_text())
    except (OSError, ValueError):
        saved = {}
    if not isinstance(saved, dict):
        saved = {}
    backend = os.environ.get("KERAS_BACKEND") or saved.get("backend", "tensorflow")
    if backend != "tensorflow":
        where = "KERAS_BACKEND" if os.environ.get("KERAS_BACKEND") else str(path)
        raise ConfigError(
            f"Keras is set to the backend {backend!r} by {where}; this package needs TensorFlow: "
            "set KERAS_BACKEND=tensorflow"
        )
    for key, needed in (("image_data_format", "channels_last"), ("floatx", "float32")):
        if saved.get(key, needed) != needed:
            raise ConfigError(
                f"{path} sets {key} to {saved[key]!r}; this package needs {needed!r}: change it, "
                "or point KERAS_HOME to another folder"
            )


def check_data_format() -> None:
    """Refuse a data format or float type that the program itself has set by now.

    Raises:
        ConfigError: Says how to mend it.
    """
    import keras

    if keras.config.image_data_format() != "channels_last":
        raise ConfigError(
            f"keras.config.image_data_format() is {keras.config.image_data_format()!r}; call "
            "keras.config.set_image_data_format('channels_last') before a model is made"
        )
    if keras.config.floatx() != "float32":
        raise ConfigError(
            f"keras.config.floatx() is {keras.config.floatx()!r}; call "
            "keras.config.set_floatx('float32') before a model is made"
        )
