"""What a stream looks like: the command ``stochram stream``."""
