"""Becalm's ear: one encoder pass turns an utterance into emotions, heat, cues, moves, script steps and an embedding.

Importing this package imports no torch; only `models.scorer` and the training scripts do.
"""
