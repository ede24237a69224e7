"""Whether the weights of a named network are on this machine, found by the names of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.pretrained import applications

FILES = {
    "ResNet50": "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "ResNet50V2": "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "MobileNet": "mobilenet_1_0_224_tf_no_top.h5",
    "MobileNetV2": "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
    "MobileNetV3Small": "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
    "NASNetMobile": "nasnet_mobile_no_top.h5",
    "InceptionResNetV2": "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "EfficientNetB0": "efficientnetb0_notop.h5",
    "EfficientNetV2B0": "efficientnetv2-b0_notop.h5",
    "ConvNeXtXLarge": "convnext_xlarge_notop.h5",
}
"""What Keras calls them where it keeps them."""


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_weights_is_of_one_network_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(applications, "_is_reachable", lambda: False)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / FILES[name]).touch()
    for other in FILES:
        if other == name:
            applications.check_weights(name, "imagenet")
            continue
        with pytest.raises(ConfigError, match=f"weights of keras:{other} are not in"):
            applications.check_weights(other, "imagenet")


def test_weights_with_a_classifier_on_top_are_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(applications, "_is_reachable", lambda: False)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "vgg16_weights_tf_dim_ordering_tf_kernels.h5").touch()
    with pytest.raises(ConfigError, match="weights of keras:VGG16 are not in"):
        applications.check_weights("VGG16", "imagenet")
