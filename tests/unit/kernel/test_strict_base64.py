from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel import strict_base64


@given(st.binary(max_size=80))
def test_what_was_encoded_is_read_back(data: bytes) -> None:
    assert strict_base64.decode(strict_base64.encode(data)) == data


@pytest.mark.parametrize("text", ["QQ", "QR==", "Q Q==", "QQ==\n", "QQ=", "_w==", "QQ==QQ==", "é==="])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this is not base64"):
        strict_base64.decode(text)


@given(st.text(alphabet="QRw=", min_size=4, max_size=8))
def test_no_bytes_have_two_texts(text: str) -> None:
    with suppress(ValueError):
        assert strict_base64.encode(strict_base64.decode(text)) == text
