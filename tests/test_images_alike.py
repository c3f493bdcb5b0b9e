"""Near duplicates: the hash against scipy's transform, the rule on films that are the same and films that are not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from medml.data.images.alike import LEAST_CORRELATION, MOST_BITS, correlation, distance, near_pairs, perceptual_hash


def films(folder, n: int) -> list[np.ndarray]:
    return [np.asarray(Image.open(path).convert("L")) for path in sorted(folder.rglob("*.jp*g"))[:n]]


def brute(hashes: np.ndarray) -> list[tuple[int, int]]:
    """All close pairs, where a repeated hash meets its first one alone."""
    known = hashes.tolist()
    first = [known.index(each) for each in known]
    return [(i, j) for i in range(len(known)) for j in range(i + 1, len(known))
            if distance(known[i], known[j]) <= MOST_BITS and first[i] == i and first[j] in (i, j)]


def test_hash_is_the_sign_of_the_lowest_frequencies():
    image = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    low = dctn(image.astype(float), norm="ortho")[:8, :8].ravel()
    wanted = int("".join("1" if each > np.median(low) else "0" for each in low), 2)
    assert perceptual_hash(image) == wanted


def test_the_same_film_brighter_smaller_or_recompressed_is_found(clinical, tmp_path):
    film, *_ = films(clinical / "nih_cxr", 1)
    Image.fromarray(film).save(tmp_path / "again.jpg", quality=60)
    again = np.asarray(Image.open(tmp_path / "again.jpg"))
    smaller = np.asarray(Image.fromarray(film).resize((150, 150)))
    for other in (again, smaller, np.clip(film * 0.9 + 10, 0, 255).astype(np.uint8)):
        assert distance(perceptual_hash(film), perceptual_hash(other)) <= MOST_BITS
        assert correlation(film, other) >= LEAST_CORRELATION


def test_films_of_different_patients_are_not_confirmed(clinical):
    found = films(clinical / "nih_cxr", 60)
    pairs = [(i, j) for i in range(len(found)) for j in range(i + 1, len(found))]
    confirmed = [(i, j) for i, j in pairs if distance(perceptual_hash(found[i]), perceptual_hash(found[j])) <= MOST_BITS
                 and correlation(found[i], found[j]) >= LEAST_CORRELATION]
    assert len(found) == 60 and not confirmed


def test_correlation_equals_numpys_and_cannot_tell_below_64_pixels():
    rng = np.random.default_rng(1)
    a, b = (rng.integers(0, 256, (64, 64), dtype=np.uint8) for _ in range(2))
    assert correlation(a, b) == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1], abs=1e-12)
    assert correlation(a, 255 - a) == pytest.approx(-1)
    assert correlation(a[:63], a) is None
    flat = np.full((64, 64), 9, np.uint8)
    assert correlation(flat, flat) == 1 and correlation(flat, flat + 1) == 0 and correlation(flat, a) == 0


def test_near_pairs_are_those_of_comparing_all():
    rng = np.random.default_rng(2)
    hashes = rng.integers(0, 2 ** 63, 300, dtype=np.uint64)
    for place in range(0, 300, 3):  # copies with 0 to 6 bits turned
        copy = int(hashes[place])
        for bit in rng.choice(64, place % 7, replace=False):
            copy ^= 1 << int(bit)
        hashes[(place + 1) % 300] = copy
    assert near_pairs(hashes) == brute(hashes) and len(brute(hashes)) > 50
    assert near_pairs(np.zeros(1, np.uint64)) == [] and near_pairs(np.zeros(0, np.uint64)) == []
    assert len(near_pairs(np.zeros(40, np.uint64))) == 39
