"""Characterization: from measurements to a device, from a device to its cells."""
