"""Builds the native kernel when a compiler is there; without one the install still succeeds and the pure-Python decoder serves."""

import os

from setuptools import Extension, setup

setup(
    ext_modules=[]
    if os.environ.get("OBSERVATORY_PURE")
    else [Extension("observatory.otlp._kernel", ["observatory/otlp/_kernel.pyx"], language="c++", optional=True, extra_compile_args=["-O3", "-std=c++17"])]
)
