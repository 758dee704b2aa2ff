"""The update of the parameters: binary, exact, and the same for both arithmetics."""

from __future__ import annotations

import optax

PEAK_RATE = 0.05
MOMENTUM = 0.9
LARGEST_NORM = 1.0
"""The whole gradient is shortened to this norm: rare, far too large noisy steps would diverge."""
WARM_UP = 0.1
"""Share of the steps over which the rate rises linearly from a tenth of its peak."""


def optimiser(steps: int) -> optax.GradientTransformation:
    """SGD with momentum on bounded gradients; the rate rises, then falls as a cosine to 0."""
    schedule = optax.warmup_cosine_decay_schedule(
        init_value=PEAK_RATE / 10,
        peak_value=PEAK_RATE,
        warmup_steps=max(1, int(WARM_UP * steps)),
        decay_steps=max(2, steps),
    )
    return optax.chain(
        optax.clip_by_global_norm(LARGEST_NORM), optax.sgd(schedule, momentum=MOMENTUM)
    )


def describe() -> str:
    """The update in words, for training.nc."""
    return (
        f"SGD, momentum {MOMENTUM:g}, gradient norm at most {LARGEST_NORM:g}, "
        f"rate {PEAK_RATE / 10:g} to {PEAK_RATE:g} over the first {WARM_UP:.0%} of the steps, "
        "then cosine to 0; binary, outside the streams"
    )
