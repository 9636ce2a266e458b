"""A multilayer perceptron in NumPy, and the runner that trains, tracks and sweeps it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
