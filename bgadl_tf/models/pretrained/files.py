"""Keras models in files: loaded with one clear line where it fails, and known by their content."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import keras

from bgadl_tf.core.errors import ConfigError


def load(path: Path) -> keras.Model:
    """A model that ``model.save(PATH)`` wrote.

    Args:
        path: A ``.keras`` file.

    Raises:
        ConfigError: It is missing or damaged, or has layers that Keras does not know.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ConfigError(f"model {path} {what}; expected a file that model.save(...) wrote")
    if path.suffix.lower() != ".keras":
        raise ConfigError(
            f"model {path} does not end in .keras; save it with model.save('NAME.keras')"
        )
    if not zipfile.is_zipfile(path):
        raise ConfigError(
            f"model {path} is damaged or cut short: it is no archive as model.save(...) writes it; "
            "save or copy it again"
        )
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:  # whatever the layers of the model, or a zip file, raise
        text = " ".join(str(error).split())
        if found := re.search(r"Could not locate class '([\w>.]+)'", text):
            raise ConfigError(
                f"model {path} has a layer of the class {found[1]!r}, which Keras does not know: "
                "the command line takes built-in layers only; in Python, import the class, "
                "registered with keras.saving.register_keras_serializable, and use "
                "Classifier.from_model"
            ) from error
        if "lambda" in text.lower():
            raise ConfigError(
                f"model {path} has a Lambda layer, whose code a file must not bring: replace it by "
                "a built-in layer, e.g. Rescaling, or use Classifier.from_model in Python"
            ) from error
        raise ConfigError(f"model {path} cannot be loaded: {text[:300]}") from error
    if not isinstance(model, keras.Model):
        raise ConfigError(f"{path} holds a {type(model).__name__}; expected a keras.Model")
    if not model.weights:
        raise ConfigError(
            f"model {path} has no weights; expected a network that was built and trained before it "
            "was saved"
        )
    return model


def digest(path: Path) -> str:
    """By which a file is recognised."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
