"""Sessions of ONNX Runtime: made for one policy, run so that they can be ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from realtime_rl.core.errors import MissingDependencyError, PolicyError
from realtime_rl.core.policy.tensors import Graph
from realtime_rl.policies import external_weights, onnx_signature, providers
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.stop import Stop


def graph_of_file(path: Path) -> Graph:
    """Return what a file declares, whatever plant it is for; errors as in `OnnxPolicy.load`."""
    model = external_weights.read(path, "")
    try:
        return onnx_signature.graph_of(open_session(
            path, model, Compute("cpu"), Stop())[0])
    finally:
        model.close()


def options_of_run(stop: Stop | None) -> Any:  # noqa: ANN401 - ONNX Runtime's
    """Return the options of a run that `stop` ends; `None` where nobody would."""
    if stop is None:
        return None
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    stop.on_ask(lambda: setattr(options, "terminate", True))
    return options


def open_session(path: Path, model: external_weights.Model, compute: Compute, stop: Stop,
                 key: str = "") -> tuple[Any, str]:
    """Return an ONNX Runtime session, and why it does not use the provider asked for.

    Args:
        path: of the policy, as it is called.
        model: what was read of it.
        compute: what is asked for.
        stop: ends the loading.
        key: see `providers.options`; empty: the hash of `model`.

    Raises:
        PolicyError: ONNX Runtime cannot load it.
        MissingDependencyError: ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError("onnxruntime", "cpu", error) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = compute.threads
    options.inter_op_num_threads = 1
    # A spinning thread would take the core that the plant or another worker needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what goes wrong is raised and reported here
    if hasattr(options, "set_load_cancellation_flag"):  # not in older releases
        stop.on_ask(lambda: options.set_load_cancellation_flag(True))
    wanted = providers.wanted(compute.provider, onnxruntime.get_available_providers())
    if "CUDAExecutionProvider" in wanted and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # the system's loader does not look where pip installs CUDA's
    try:
        if model.weights:
            options.add_external_initializers(
                list(model.weights),
                [onnxruntime.OrtValue.ortvalue_from_numpy(each) for each in model.weights.values()])
        session = onnxruntime.InferenceSession(
            model.source, options, providers=[
                (each, providers.options(each, compute, key or model.sha256)) for each in wanted])
    except Exception as error:  # ONNX Runtime has no common base class for its errors
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PolicyError(f"policy {str(path)!r} cannot be loaded: {reason}") from error
    actual = providers.name_of(session.get_providers()[0])
    return session, providers.fallback_message(compute.provider, actual)
