"""Simulated calls against a running service: how many does it carry, and how fast does it answer?

Everything is measured from outside, on websockets like anybody else's: `traffic` says what is sent and when, `tally`
matches what comes back on the feed, `step` runs so many calls for so long, `search` finds the most that are carried.
"""
