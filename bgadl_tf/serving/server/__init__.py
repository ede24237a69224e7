"""The embedded server: SavedModels behind TensorFlow Serving's REST and gRPC contract.

::

    flags, configuration      what to serve, in TensorFlow Serving's own words
    savedmodel, batching      one version in a session; a queue that merges requests
    warmup                    the requests a version answers before it is available
    base_path                 why a base path has no version, for the log and the client
    versions, lifecycle       which versions there are, and how far each has come
    manager                   loading, serving and unloading them
    inference                 predict: named inputs of a signature to its named outputs
    models                    what REST and gRPC have in common: find the model, answer, measure
    json_request, json_values, json_response, tensor_protos    tensors on the wire
    rest, rpc                 the two transports
    server                    all of it, from start to SIGTERM

Classify, Regress and MultiInference are left to ``tensorflow/serving``.
"""
