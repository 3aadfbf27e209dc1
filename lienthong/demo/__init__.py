"""`make demo`: a sample set driven through every layer, officers included, and what came of it."""

from lienthong.demo.play import play

__all__ = ["play"]
