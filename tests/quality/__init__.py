"""Measurements of quality on data that is not in the project; run by hand."""
