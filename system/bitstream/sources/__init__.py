"""Where bits come from: each source turns probabilities and addresses into packed streams."""

from system.bitstream.sources.base import BitSource, OpenStreams, key_of
from system.bitstream.sources.bernoulli import Bernoulli
from system.bitstream.sources.device import DeviceSource, device_stream
from system.bitstream.sources.lfsr import TAPS, Lfsr
from system.bitstream.sources.sobol import Sobol

__all__ = [
    "TAPS",
    "Bernoulli",
    "BitSource",
    "DeviceSource",
    "Lfsr",
    "OpenStreams",
    "Sobol",
    "device_stream",
    "key_of",
]
