"""Many runs under one name: planned, run by an executor, ranked; or searched for."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
