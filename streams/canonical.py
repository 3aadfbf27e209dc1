"""
One event, one row of bytes: a value that would be written otherwise is refused.

Avro's binary encoding can say the same in many ways: a number in more bytes than it needs, an enum counted from its
end, a key twice in a map. Libraries read some of these differently, so that what one agency signed another would
understand otherwise. What comes in is therefore encoded again, and must be what it was.
"""

from __future__ import annotations

from streams.codec import Codec
from streams.errors import UndecodableError
from streams.event import Data
from streams.names import EventType

__all__ = ["require_canonical"]


def require_canonical(codec: Codec, event_type: EventType, value: bytes, data: Data) -> None:
    """
    Refuse a value that is not what our own writer makes of its fields.

    Args:
        codec: decoded it.
        event_type: whose value.
        value: as it came.
        data: what the codec decoded it to.

    Raises:
        UndecodableError: code `not_canonical`.
    """
    if codec.encoded_again(value, data) != value:
        raise UndecodableError(f"The value is no {event_type} as it is to be written.", code="not_canonical")
