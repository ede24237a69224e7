"""SavedModels that are not ours, written the way TensorFlow 1 wrote them, for servers to serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1
build_signature = v1.saved_model.signature_def_utils.build_signature_def
tensor_info = v1.saved_model.utils.build_tensor_info

PREDICT, CLASSIFY, REGRESS = (
    f"tensorflow/serving/{method}" for method in ("predict", "classify", "regress")
)


def signature(method: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Any:
    return build_signature(
        {name: tensor_info(tensor) for name, tensor in inputs.items()},
        {name: tensor_info(tensor) for name, tensor in outputs.items()},
        method,
    )


def save(folder: Path, graph: Callable[[], Mapping[str, Any]]) -> Path:
    """Write the signatures that ``graph`` makes to ``folder``."""
    with tf.Graph().as_default(), v1.Session() as session:
        signatures = graph()
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.builder.SavedModelBuilder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
        builder.save()
    return folder


def half_plus(number: float, folder: Path) -> Path:
    """y = x / 2 + number, as predict, and as classify and regress of tf.Example's feature x."""

    def graph() -> Mapping[str, Any]:
        half = v1.get_variable("half", initializer=0.5, use_resource=True)
        add = v1.get_variable("add", initializer=float(number), use_resource=True)
        x = v1.placeholder(tf.float32, name="x")
        y = tf.multiply(x, half) + add
        serialized = v1.placeholder(tf.string, [None], name="examples")
        parsed = tf.io.parse_example(
            serialized,
            {
                "x": tf.io.FixedLenFeature([1], tf.float32),
                "x2": tf.io.FixedLenFeature([1], tf.float32, default_value=[0.0]),
            },
        )
        y1 = parsed["x"] * half + add
        y3 = parsed["x2"] * half + add + 1.0
        names = tf.fill(tf.shape(y1), "half")
        return {
            "serving_default": signature(PREDICT, {"x": x}, {"y": y}),
            "classify_x_to_y": signature(CLASSIFY, {"inputs": serialized}, {"scores": y1}),
            "classify_named": signature(
                CLASSIFY, {"inputs": serialized}, {"classes": names, "scores": y1}
            ),
            "regress_x_to_y": signature(REGRESS, {"inputs": serialized}, {"outputs": y1}),
            "regress_x2_to_y3": signature(REGRESS, {"inputs": serialized}, {"outputs": y3}),
        }

    return save(folder, graph)


def echo(folder: Path) -> Path:
    """What comes in goes out, in many types; and some that misbehave."""

    def graph() -> Mapping[str, Any]:
        signatures = {}
        for kind in (
            "float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8",
            "uint16", "uint32", "uint64", "bool", "string", "complex64",
        ):  # fmt: skip
            x = v1.placeholder(tf.as_dtype(kind), name=f"x_{kind}")
            signatures[kind] = signature(PREDICT, {"x": x}, {"y": tf.identity(x)})
        a, b = v1.placeholder(tf.float32, [None, 2]), v1.placeholder(tf.int32, [None])
        total = tf.reduce_sum(a, 1) + tf.cast(b, tf.float32)
        signatures["serving_default"] = signature(
            PREDICT, {"a": a, "b": b}, {"sum": total, "a_again": tf.identity(a)}
        )
        raw = v1.placeholder(tf.string, [None])
        signatures["bytes"] = signature(
            PREDICT, {"raw_bytes": raw}, {"raw_bytes": tf.identity(raw), "text": tf.identity(raw)}
        )
        n = v1.placeholder(tf.int32, [None])
        signatures["ragged"] = signature(
            PREDICT, {"n": n}, {"n": tf.identity(n), "twice": tf.concat([n, n], 0)}
        )
        signatures["scalar"] = signature(PREDICT, {"n": n}, {"total": tf.reduce_sum(n)})
        checked = v1.placeholder(tf.float32, [None])
        with tf.control_dependencies([tf.debugging.assert_non_negative(checked, "negative row")]):
            root = tf.sqrt(checked)
        signatures["root"] = signature(PREDICT, {"x": checked}, {"y": root})
        steps = v1.placeholder(tf.int32, [None])
        spun = tf.while_loop(
            lambda i, x: i < tf.reduce_max(steps),
            lambda i, x: (i + 1, tf.tanh(x @ x) * 0.01),
            (0, tf.eye(64)),
        )[1]
        zeros = tf.zeros_like(steps, tf.float32) + tf.reduce_sum(spun) * 0.0
        signatures["slow"] = signature(PREDICT, {"steps": steps}, {"zeros": zeros})
        image = tf.ensure_shape(v1.placeholder(tf.float32), [None, 4, 4, 1])
        kernel = v1.get_variable("kernel", initializer=tf.ones([3, 3, 1, 2]), use_resource=True)
        signatures["image"] = signature(
            PREDICT, {"image": image.op.inputs[0]}, {"map": tf.nn.conv2d(image, kernel, 1, "SAME")}
        )
        return signatures

    return save(folder, graph)
