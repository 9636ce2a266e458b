"""From YAML and overrides to a checked configuration and the objects that it describes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
