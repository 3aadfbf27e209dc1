"""The only folder that imports Faust: a worker as a Faust app with one agent."""

from streams.runtime.worker import Pipeline, WorkerSpec, run_worker

__all__ = ["Pipeline", "WorkerSpec", "run_worker"]
