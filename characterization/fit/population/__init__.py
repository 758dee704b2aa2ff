"""Devices differ: random effects of ln tau_ref and ln V0 over devices.

effects: which spreads are in play; model: a device's marginal likelihood; population: all devices;
newton, climb: its maximum; ends, intervals: profile intervals; spread: what is identified; fit: all
of it; simulate: data of new devices; check: goodness of fit.
"""
