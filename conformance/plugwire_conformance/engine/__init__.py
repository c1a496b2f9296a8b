"""Runs the cases, in parallel, with pytest underneath, and makes a report of what they found."""
