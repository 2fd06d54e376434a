"""Python runs this file at its start when `observatory run` has put its folder on PYTHONPATH: the application and every Python it starts
are traced.

A `sitecustomize` that was there before is run as well.
"""

import importlib.machinery
import importlib.util
import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib would be imported into every application's start


def _run_the_other() -> None:
    others = [place for place in sys.path if os.path.abspath(place or ".") != _here]  # noqa: PTH100
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


try:
    _run_the_other()
finally:
    if os.environ.get("OBSERVATORY_RUN") == "1":
        try:
            from observatory.sdk.start import init

            init()
        except Exception as error:  # an application starts in any case
            print(f"observatory: not traced: {error!r}", file=sys.stderr)
