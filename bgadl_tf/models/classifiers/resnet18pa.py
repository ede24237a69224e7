"""ResNet18pa of He et al. 2016b, "Identity Mappings in Deep Residual Networks", in CIFAR style."""

from __future__ import annotations

import keras

from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.models.residual import ResNet18


@CLASSIFIERS.register("resnet18pa")
@keras.saving.register_keras_serializable("bgadl_tf")
class PreActivationResNet18(ResNet18):
    """BatchNorm - ReLU - convolution; the shortcut is never activated."""

    preactivation = True
