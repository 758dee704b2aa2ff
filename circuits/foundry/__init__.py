"""Technologies from outside: model files read as data, and what their transistors do."""

from circuits.foundry.load import load_technology

__all__ = ["load_technology"]
