"""
Which servers the stack runs.

The pom files under `deploy/maven` and the images in `docker-compose.yml` name the same versions; a test compares them.
"""

from __future__ import annotations

__all__ = ["JAVA_MINIMUM", "KAFKA_VERSION", "POSTGRES_MAJOR", "REGISTRY_COMPATIBILITY", "REGISTRY_VERSION"]

KAFKA_VERSION = "4.3.1"
"""Apache Kafka, as Maven coordinates and as image tag."""

REGISTRY_VERSION = "3.3.3"
"""Apicurio Registry, as Maven coordinates and as image tag."""

POSTGRES_MAJOR = 18
"""PostgreSQL: the wheel's major version and the image tag."""

JAVA_MINIMUM = 21
"""The oldest Java that runs both Kafka and the registry."""

REGISTRY_COMPATIBILITY = "FULL_TRANSITIVE"
"""What the registry refuses: any change that an older or a newer reader could not read. Its own default is NONE."""
