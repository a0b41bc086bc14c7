from datetime import UTC, datetime
from uuid import RFC_4122, UUID

from governance.kernel.ids import new_id, new_token

RFC_9562_EXAMPLE = UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


def milliseconds_of(identifier: UUID) -> int:
    """The field unix_ts_ms: the first 48 bits (RFC 9562 section 5.7)."""
    return identifier.int >> 80


def test_layout_is_that_of_rfc_9562() -> None:
    before = int(datetime.now(UTC).timestamp() * 1000)
    identifier = new_id()
    after = int(datetime.now(UTC).timestamp() * 1000)

    assert identifier.version == 7
    assert identifier.variant == RFC_4122
    assert before <= milliseconds_of(identifier) <= after


def test_timestamp_field_is_read_as_in_the_example_of_rfc_9562_appendix_a_6() -> None:
    moment = datetime.fromtimestamp(milliseconds_of(RFC_9562_EXAMPLE) / 1000, tz=UTC)

    assert moment == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


def test_ids_are_the_standard_class_and_never_repeat() -> None:
    identifiers = [new_id() for _ in range(2000)]

    assert {type(identifier) for identifier in identifiers} == {UUID}
    assert len(set(identifiers)) == len(identifiers)
    assert [milliseconds_of(each) for each in identifiers] == sorted(milliseconds_of(each) for each in identifiers)


def test_token_is_url_safe_and_as_long_as_asked() -> None:
    assert len(new_token()) == 43
    assert len(new_token(12)) == 16
    assert new_token().replace("-", "").replace("_", "").isalnum()
    assert new_token() != new_token()
