"""Becalm's door: frames become messages, messages become utterances, in order and once.

Everything here is pure: no clock, no I/O, no randomness. The service wraps it in thin shells.
"""
