"""Likelihoods, their maxima, errors and intervals."""
