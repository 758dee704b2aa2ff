"""Devices differ: random effects of ln tau_ref and ln V0 over devices."""
