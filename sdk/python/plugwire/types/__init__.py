"""Types of payloads: the protocol's own, generated from the model, and the strict converter for everybody's."""
