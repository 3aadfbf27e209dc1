"""
A postal operator: remembers which parcels are flagged, so that a scan can name the flag (plan, IV.5).

An alert orders no one to hold a parcel; what is asked is to say where it was seen.
"""

from __future__ import annotations

from datetime import datetime

from streams.agent import AgentSpec, Context, Handler, Outcome, State
from streams.event import Event
from streams.names import EventType
from streams.subject import SubjectRef

__all__ = ["SPEC"]

NOTE = (
    "Bưu gửi cần theo dõi: báo nơi đã thấy, không giữ lại. / Watch this parcel: say where it is seen, do not hold it."
)
"""What the dispatch desk reads."""


def watch_parcel(event: Event, context: Context) -> Outcome:
    """
    Remember the flag of a parcel.

    The state is `{"flag", "correlation", "depth", "valid_until"}`: id of the flag, id of its chain, causes before it,
    ISO time or None for a flag without end. A newer flag takes the place of an older one unless it ends earlier.
    """
    ends = event.data.get("valid_until")
    if _outlives(context.state, ends):
        return Outcome(note=NOTE)
    state = {
        "flag": str(event.id),
        "correlation": str(event.correlation),
        "depth": event.depth,
        "valid_until": None if ends is None else ends.isoformat(),
    }
    return Outcome(state=state, note=NOTE)


def _outlives(state: State, ends: datetime | None) -> bool:
    """Say whether the remembered flag holds longer than one that ends at `ends`."""
    if not state or ends is None:
        return False
    remembered = state["valid_until"]
    return remembered is None or datetime.fromisoformat(remembered) > ends


def _parcel(event: Event) -> str:
    return SubjectRef.from_data(event.data["parcel"]).key


SPEC = AgentSpec(
    kind="postal_operator",
    handlers=(
        Handler(
            name="watch_parcel",
            event_type=EventType("shipment.flagged"),
            handle=watch_parcel,
            plan="IV.5",
            state_key=_parcel,
        ),
    ),
)
"""A postal operator's handlers."""
