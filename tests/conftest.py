"""For all tests: hypothesis measures no time, because timings are benchmarks and never a test's verdict; and scores are
made in float32, so that they are the same on every machine (`test_precision` has the other arithmetic)."""

import os

from hypothesis import settings

settings.register_profile("becalm", deadline=None)
settings.load_profile("becalm")
os.environ.setdefault("BECALM_MODEL__PRECISION", "float32")
