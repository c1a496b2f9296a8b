"""The suite as plugins: it gives a host under test programs to launch, and speaks through their pipes."""
