"""The networks, one a file."""

from system.networks.lenet5 import (
    LAYERS,
    Layer,
    LeNet5,
    between,
    linear_layers,
    parameter_count,
    products_of,
)

__all__ = [
    "LAYERS",
    "Layer",
    "LeNet5",
    "between",
    "linear_layers",
    "parameter_count",
    "products_of",
]
