"""The pure core: events in, effects out. No clock, no I/O, no randomness, no torch."""
