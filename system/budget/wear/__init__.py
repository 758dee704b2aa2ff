"""Wear: how often each device switches, and when the first ones no longer do.

``use`` reads from training.nc how much each group of devices does for an image, ``endurance`` says
how long devices last, ``failure`` joins both, without sampling, to the times at which devices fail;
``shared`` does so where layers share devices; ``sharing`` asks what other stream rules would
change, ``disturb`` what rest and reads do to a stored state, ``spent`` what the recorded training
has already taken.
"""
