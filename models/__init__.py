"""Becalm's ear: one encoder pass turns an utterance into emotions, heat, cues, moves, script steps and an embedding.

Importing this package imports no torch; only `models.scorer` and the training scripts do.
"""

import os

# Before torch is imported: threads that wait for work must not spin, or a busy neighbour process would stall every
# second thread for long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
