"""Settings that a producer of ours always has."""

from __future__ import annotations

from confluent_kafka import Producer

from streams.kafka import KafkaAddress, producer_settings


def test_no_record_is_given_up_alone() -> None:
    """One that ran out of time would let those behind it pass, and come after them when it is written again."""
    settings = producer_settings(KafkaAddress(bootstrap="127.0.0.1:9"), client_id="test")
    assert settings["delivery.timeout.ms"] == 0
    assert settings["enable.gapless.guarantee"] is True
    assert settings["enable.idempotence"] is True
    Producer({**settings, "log_level": 0}).poll(0)  # librdkafka takes them


def test_a_producer_asks_again_who_leads_before_anybody_calls_it_stuck() -> None:
    """Within seconds, where librdkafka alone would take five minutes."""
    settings = producer_settings(KafkaAddress(bootstrap="127.0.0.1:9"), client_id="test")

    assert int(settings["topic.metadata.refresh.interval.ms"]) <= 10_000
