"""What a run that goes on makes of images that are unlike its own. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Collection

from bgadl_tf.core.types import Id, ImageShape
from bgadl_tf.data.images.looking import Looked


def of_one_size(looked: Looked, shape: ImageShape) -> Looked:
    """The same, where images of another size than those of the run are unreadable.

    Args:
        looked: What files are.
        shape: Of the images of the run.
    """
    height, width, _ = shape
    unlike = {
        id_: f"{header.width}x{header.height} pixels, those of the run are {width}x{height}: "
        "resize it, or begin a run with --image-size"
        for id_, header in looked.headers.items()
        if (header.width, header.height) != (width, height)
    }
    alike = {id_: header for id_, header in looked.headers.items() if id_ not in unlike}
    return looked._replace(headers=alike, unreadable={**looked.unreadable, **unlike})


def notes(looked: Looked, ids: Collection[Id], shape: ImageShape) -> list[str]:
    """What is done to images so that they have the channels of the run.

    Args:
        looked: What files are.
        ids: Which of the readable ones.
        shape: Of the images of the run.
    """
    coloured = sum(not looked.headers[id_].grey for id_ in ids)
    if shape[-1] != 1 or not coloured:
        return []
    images = "1 image in colour is" if coloured == 1 else f"{coloured} images in colour are"
    return [f"{images} converted to grey, as those of the run are grey"]
