"""For all tests: hypothesis measures no time, because timings are benchmarks and never a test's verdict."""

from hypothesis import settings

settings.register_profile("becalm", deadline=None)
settings.load_profile("becalm")
