"""Types of inputs and outputs: their JSON Schema, and the check of a value. Pure."""
