"""The project's own sample files: invented invoices with known faults, a decision, a postal operator's scans."""

from lienthong.samples.decision import DECISION_NUMBER, write_decision
from lienthong.samples.sample_set import SampleSet, write_samples
from lienthong.samples.scans import write_scans

__all__ = ["DECISION_NUMBER", "SampleSet", "write_decision", "write_samples", "write_scans"]
