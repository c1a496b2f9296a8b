"""Subjects with one vice each, and which cases must find it: the proof that the suite sees what it says it checks."""
