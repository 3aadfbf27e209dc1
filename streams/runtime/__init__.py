"""The only folder that imports Faust: a worker as a Faust app with one agent."""

from streams.runtime.view import WorkerView
from streams.runtime.worker import DurablePipeline, EmittingPipeline, Pipeline, Stateful, WorkerSpec, run_worker

__all__ = ["DurablePipeline", "EmittingPipeline", "Pipeline", "Stateful", "WorkerSpec", "WorkerView", "run_worker"]
