"""The files between the stages: errors, atomic writes, seeds, provenance, JSON and NetCDF.

Imports none of the other packages.
"""
