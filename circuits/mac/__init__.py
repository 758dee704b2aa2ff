"""Multiply-accumulate cells."""
