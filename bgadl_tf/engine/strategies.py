"""Distribution strategies by name, on the GPUs there are or on a split CPU."""

from __future__ import annotations

import functools

import tensorflow as tf

from bgadl_tf.core.errors import ConfigError


@functools.cache
def make_strategy(name: str, cpu_replicas: int = 1) -> tf.distribute.Strategy:
    """A distribution strategy.

    The same arguments give the same strategy: a second mirrored one in a process would collide
    with the collectives of the first.

    Args:
        name: ``one_device``, ``mirrored`` (every GPU, or the CPU's logical devices) or
            ``multi_worker_mirrored`` (workers as in the environment variable TF_CONFIG).
        cpu_replicas: Logical devices that the CPU is split into.

    Raises:
        ConfigError: TensorFlow runs already with fewer logical devices.
    """
    _split_cpu(cpu_replicas)
    if name == "one_device":
        return tf.distribute.get_strategy()
    if name == "multi_worker_mirrored":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if cpu_replicas > 1 or not tf.config.list_physical_devices("GPU"):
        return tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(cpu_replicas)])
    return tf.distribute.MirroredStrategy()


def _split_cpu(count: int) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    configured = tf.config.get_logical_device_configuration(cpu)
    if len(configured or [None]) < count:
        try:
            tf.config.set_logical_device_configuration(
                cpu, [tf.config.LogicalDeviceConfiguration()] * count
            )
        except (RuntimeError, ValueError) as error:
            raise ConfigError(
                f"--cpu-replicas is {count}, but TensorFlow has started with fewer "
                f"logical CPU devices ({error}); start a new process"
            ) from None
