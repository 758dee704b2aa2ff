"""Packed bit streams: what they stand for, whose they are, where they come from."""

from typing import TYPE_CHECKING

from formats.lazy import names_from

if TYPE_CHECKING:
    from system.bitstream.encodings import (
        BIPOLAR,
        ENCODINGS,
        SIGN_MAGNITUDE,
        UNIPOLAR,
        Encoded,
        Encoding,
    )
    from system.bitstream.ownership import BATCH, DEFAULT_RULES, StreamRules
    from system.bitstream.packed import WORD_BITS, BitStream, words_of

__all__ = [
    "BATCH",
    "BIPOLAR",
    "DEFAULT_RULES",
    "ENCODINGS",
    "SIGN_MAGNITUDE",
    "UNIPOLAR",
    "WORD_BITS",
    "BitStream",
    "Encoded",
    "Encoding",
    "StreamRules",
    "words_of",
]

_PLACES = {
    "encodings": ("BIPOLAR", "ENCODINGS", "SIGN_MAGNITUDE", "UNIPOLAR", "Encoded", "Encoding"),
    "ownership": ("BATCH", "DEFAULT_RULES", "StreamRules"),
    "packed": ("WORD_BITS", "BitStream", "words_of"),
}
__getattr__ = names_from(__name__, _PLACES)
