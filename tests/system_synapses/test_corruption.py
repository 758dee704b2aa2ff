"""Spoilt images: each kind does what it says, and is the same for all networks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from system.synapses.corruption import CORRUPTIONS, corrupted

GREY = np.full((200, 28, 28), 0.5, np.float32)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_no_strength_changes_nothing_and_the_range_holds(name: str) -> None:
    images = np.random.default_rng(0).random((5, 28, 28), np.float32)
    assert np.array_equal(corrupted(images, name, 0.0, 1), images)
    strongest = CORRUPTIONS[name][1][-1]
    spoilt = corrupted(images, name, strongest, 1)
    assert spoilt.dtype == np.float32 and spoilt.shape == images.shape
    assert spoilt.min() >= 0 and spoilt.max() <= 1
    assert not np.array_equal(spoilt, images)
    assert np.array_equal(spoilt, corrupted(images, name, strongest, 1))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_an_image_is_spoilt_by_its_position_alone(name: str) -> None:
    few = corrupted(GREY[:3], name, CORRUPTIONS[name][1][1], 4)
    assert np.array_equal(few, corrupted(GREY, name, CORRUPTIONS[name][1][1], 4)[:3])


def test_gaussian_noise_has_its_spread() -> None:
    noise = (corrupted(GREY, "gaussian", 0.1, 1) - 0.5).ravel()
    assert abs(noise.std() - 0.1) < 4.5 * 0.1 / np.sqrt(2 * noise.size)
    assert stats.kstest(noise[:20_000], stats.norm(0, 0.1).cdf).pvalue > 1e-4


def test_salt_and_pepper_are_as_frequent_as_asked() -> None:
    spoilt = corrupted(GREY, "salt_and_pepper", 0.2, 1)
    for value, share in ((0.0, 0.1), (1.0, 0.1), (0.5, 0.8)):
        found = (spoilt == value).mean()
        assert abs(found - share) < 4.5 * np.sqrt(share * (1 - share) / spoilt.size)


def test_occlusion_is_one_black_square_inside() -> None:
    black = corrupted(GREY, "occlusion", 0.25, 1) == 0
    assert np.all(black.sum(axis=(1, 2)) == 49)
    for image in black[:20]:
        rows, columns = np.nonzero(image)
        assert np.ptp(rows) == 6 and np.ptp(columns) == 6
    assert black.any(axis=0)[6:22, 6:22].all()  # everywhere, over many images


def test_blur_spreads_a_point_as_a_gaussian() -> None:
    point = np.zeros((1, 28, 28), np.float32)
    point[0, 14, 14] = 1
    spoilt = corrupted(point, "blur", 1.5, 1)[0]
    assert spoilt.sum() == pytest.approx(1, abs=1e-5)
    place = np.arange(28) - 14
    assert float(spoilt.sum(axis=0) @ place**2) == pytest.approx(1.5**2, rel=0.02)
