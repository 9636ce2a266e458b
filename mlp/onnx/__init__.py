"""A trained network with its preprocessing, as an ONNX model."""

from mlp.onnx.model import onnx_model, signature, write_onnx

__all__ = ["onnx_model", "signature", "write_onnx"]
