"""Binarized networks on pairs of binary memristors: trained offline, mapped, read on drawn chips.

``representation`` (levels of weights and activations), ``network`` (a network of system.networks
with batch normalisation), ``learning`` and ``injection`` (training, also on drawn devices),
``pairs`` (a chip: devices drawn, wires solved), ``inference`` (its products, noise, converters),
``mitigation`` (calibration and tuning); ``stage`` joins them.
"""
