"""A data source, an optimizer and a callback for mlp."""
