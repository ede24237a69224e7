"""ResNet18 of He et al. 2016a, "Deep Residual Learning for Image Recognition", in CIFAR style."""

from __future__ import annotations

import keras

from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.models.residual import ResNet18


@CLASSIFIERS.register("resnet18")
@keras.saving.register_keras_serializable("bgadl_tf")
class PostActivationResNet18(ResNet18):
    """Convolution - BatchNorm - ReLU, added to the shortcut before the last ReLU."""

    preactivation = False
