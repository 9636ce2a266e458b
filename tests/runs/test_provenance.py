"""Where a result comes from."""

import platform

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mlp.runs import collect_provenance, origin_changes
from mlp.runs.provenance import blas


def test_versions_host_and_threads_are_known():
    origin = collect_provenance()
    assert origin.versions["python"] == platform.python_version()
    assert origin.versions["numpy"] == np.__version__
    assert origin.host == platform.node()


def test_thread_count_is_the_one_in_force():
    with threadpool_limits(1, user_api="blas"):
        assert blas().threads == 1


def test_a_cpu_without_any_of_numpys_extensions_is_known_to_be_one(monkeypatch: pytest.MonkeyPatch):
    """As with NPY_DISABLE_CPU_FEATURES: a result may differ for it, which is then named."""
    found = {"SIMD Extensions": {"baseline": ["X86_V2"], "not found": ["X86_V3"]}}
    monkeypatch.setattr(np, "show_config", lambda mode: found)
    now = collect_provenance()
    then = now.model_copy(update={"simd": ("X86_V3",)})
    assert origin_changes(then, now) == [
        "the set of CPU instructions that NumPy uses was X86_V3 and is the baseline"
    ]


def test_what_has_changed_between_two_origins():
    then = collect_provenance().model_copy(update={"simd": ("X86_V3",), "git": None})
    blas = then.blas.model_copy(update={"architecture": None, "threads": 7})
    now = then.model_copy(update={"blas": blas, "simd": ("X86_V3", "X86_V4")})
    assert origin_changes(then, then) == []
    assert origin_changes(then, now) == [  # of the architecture nothing is known now
        f"the number of BLAS threads was {then.blas.threads} and is 7",
        "the set of CPU instructions that NumPy uses was X86_V3 and is X86_V3, X86_V4",
    ]
