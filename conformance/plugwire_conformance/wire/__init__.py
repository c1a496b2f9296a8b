"""The suite's own framing and JSON: able to read after any mistake, and to write anything."""
