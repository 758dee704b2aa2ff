"""The ``stochram`` command and the chain of the four stages; imports everything."""
