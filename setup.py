"""Builds the native kernel and compiles the JSON writer and the hash tables; without a compiler the install still succeeds and the
pure-Python decoder serves.

`OBSERVATORY_PURE=1` builds no extension and gives a `py3-none-any` wheel. `OBSERVATORY_SANITIZE=1` builds with AddressSanitizer, for the
fuzz target.
"""

import os
from pathlib import Path

from setuptools import Extension, setup

OTLP = Path("observatory/otlp")
FLAGS = ["-O3", "-std=c++17", "-g0"]
if os.environ.get("OBSERVATORY_SANITIZE"):
    FLAGS = ["-O1", "-std=c++17", "-g", "-fsanitize=address,undefined", "-fno-sanitize=alignment,vptr", "-fno-omit-frame-pointer"]

extensions = [
    Extension(
        "observatory.otlp._kernel",
        [str(OTLP / "_kernel.pyx")],
        depends=sorted(map(str, OTLP.glob("kernel/*.pxi"))),
        language="c++",
        optional=True,
        extra_compile_args=[*FLAGS, "-Wno-uninitialized", "-Wno-maybe-uninitialized"],
        extra_link_args=[flag for flag in FLAGS if flag.startswith("-fsanitize")],
    ),
    *(
        Extension(
            f"observatory.{module.replace('/', '.')}",
            [f"observatory/{module}.py"],
            depends=[f"observatory/{module}.pxd"],
            optional=True,
            extra_compile_args=["-O3", "-g0"],
        )
        for module in ("otlp/jsonwire", "model/hashtable")
    ),
]
setup(ext_modules=[] if os.environ.get("OBSERVATORY_PURE") else extensions)
