"""Programs under test: their start, their pipes and their end."""
