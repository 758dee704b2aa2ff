"""The networks, one a file, made of the layers of ``layer``; ``choice`` finds one by its name."""

from system.networks.choice import NETWORKS, build_network, network_sha256
from system.networks.cnn2 import CNN2
from system.networks.layer import Layer, Products, Run, layers_of, with_layers
from system.networks.lenet5 import LeNet5
from system.networks.lenet_wide import WideLeNet
from system.networks.mlp import MLP
from system.networks.mlp3 import MLP3

__all__ = [
    "CNN2",
    "MLP",
    "MLP3",
    "NETWORKS",
    "Layer",
    "LeNet5",
    "Products",
    "Run",
    "WideLeNet",
    "build_network",
    "layers_of",
    "network_sha256",
    "with_layers",
]
