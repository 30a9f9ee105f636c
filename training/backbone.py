"""The frozen image backbone, for training; see engine/model/backbone.py."""

from ..engine.model.backbone import (
    CHANNELS,
    Backbone,
    describe,
    feature_distance,
    fold_batch_norms,
    released_weights,
    set_layout,
    unit,
)

__all__ = [
    "CHANNELS",
    "Backbone",
    "describe",
    "feature_distance",
    "fold_batch_norms",
    "released_weights",
    "set_layout",
    "unit",
]
