"""MC-dropout BALD with baal, as its documentation shows."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import structlog
import torch
from baal.active.heuristics import BALD
from baal.bayesian.dropout import patch_module
from baal.modelwrapper import ModelWrapper, TrainingArgs
from torch import nn
from torch.utils.data import TensorDataset

from bgadl_tf.core.types import Floats, Images

BATCH = 100


def scorer(model: nn.Module, passes: int, replicate: bool) -> Callable[[Images | Floats], Floats]:
    """Scores images ``uint8 [N, H, W, D]``, or vectors ``float32 [N, F]``.

    Without worker processes, which cost more than they give where images lie in memory.

    Args:
        model: To logits.
        passes: K.
        replicate: baal's ``replicate_in_memory``: K copies of a batch in one call, its default.
    """
    # baal tells the log of every prediction it makes.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Raw logits, on which BALD() itself applies the softmax.
        wrapper = ModelWrapper(
            patch_module(model, inplace=False),
            TrainingArgs(
                batch_size=BATCH, workers=0, use_cuda=False, replicate_in_memory=replicate
            ),
        )
    heuristic = BALD()

    def score(examples: Images | Floats) -> Floats:
        inputs = torch.from_numpy(examples)
        if inputs.ndim == 4:
            inputs = (inputs.permute(0, 3, 1, 2).float() / 255.0).contiguous()
        data = TensorDataset(inputs, torch.zeros(len(examples), dtype=torch.long))
        return heuristic.get_uncertainties(
            wrapper.predict_on_dataset(data, iterations=passes, verbose=False)
        )

    return score
