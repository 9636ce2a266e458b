"""A multilayer perceptron in NumPy, and the runner that trains, tracks and sweeps it."""
