"""Bodies and headers that no client of ours sends, for the endpoints that read them."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence

#: JSON as it is written, in place of any value. Each is refused by another layer if nobody looks before.
JSON_TEXTS = [
    "null", "true", "-1", "0", "1.5", "1e400", "NaN", "-Infinity", "9" * 30, "9" * 5000, "-0",
    '""', '"\\u0000"', '"\\ud800"', '"\\udfff\\ud800"', '"a\\u0000b"', '"' + "x" * 100_000 + '"', '"not-an-id"',
    '"00000000-0000-0000-0000-000000000000"', '"9999-12-31T23:59:59-14:00"', '"0000-00-00"', '"²"', '"([*"',
    "[]", "{}", "[null]", '["\\ud800"]', '[[["x"]]]', "[" * 200 + "]" * 200, "[" * 100_000 + "]" * 100_000,
    '{"a":' * 100_000 + "1" + "}" * 100_000, '{"\\ud800": 1}', '{"\\u0000": 1}', '{"a": 1, "a": 2}', '{"type": {}}',
    '{"__proto__": 1}', "[" + "1," * 5000 + "1]",
]  # fmt: skip
#: Whole bodies that are no JSON object, with the media type that they claim.
BODIES: list[tuple[bytes, str]] = [
    (b"", "application/json"),
    (b"{", "application/json"),
    (b"\xff\xfe{\x00}\x00", "application/json"),
    (b"\xef\xbb\xbf{}", "application/json"),
    (b"{}", "application/json; charset=utf-7"),
    (b"{}", "application/json; charset=zlib"),
    (b"{}", 'application/json; charset="'),
    (b'{"a": "\xed\xa0\x80"}', "application/json"),
    (b"\x00", "application/json"),
    (gzip.compress(b"{}"), "application/json"),
    (b"a=%00&b=%ED%A0%80&c=%", "application/x-www-form-urlencoded"),
    (b"&" * 3000 + b"a=1", "application/x-www-form-urlencoded"),
    (b"a=1&" * 3000, "application/x-www-form-urlencoded"),
    (b"--x\r\n", "multipart/form-data"),
    (b"--x\r\n\r\n", "multipart/form-data; boundary="),
    (b"--x\r\nContent-Disposition: form-data; name=\x00\r\n\r\n\xff\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    (b'--x\r\nContent-Disposition: form-data; name="receipt"; filename="\x00\xff/../a"\r\n\r\n{}\r\n--x--\r\n',
     "multipart/form-data; boundary=x"),
    (b"--x\r\nContent-Disposition: form-data; name=a; filename*=utf-9''%ff\r\n\r\n!!!\r\n--x--\r\n",
     "multipart/form-data; boundary=x"),
    (b"--\xff\r\n", "multipart/form-data; boundary=\xff"),
    (b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "application/xml"),
    (b"{}", "text/plain"),
    (b"{}", ""),
    (b"{}", "nonsense"),
    (b"{}", ";;;"),
]  # fmt: skip
_TEXTS = ["", "\xff", "²", "a" * 5000, "%00", "'\"\\", ",,;=", "é", "-1", "9" * 5000]
_READ = ["Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Content-Encoding", "Cookie", "DPoP", "Host",
         "HX-Request", "Idempotency-Key", "If-Modified-Since", "If-None-Match", "Origin", "Prefer", "Range",
         "Referer", "Traceparent", "User-Agent", "X-CSRFToken", "X-Forwarded-For", "X-Forwarded-Proto",
         "X-Request-ID"]  # fmt: skip
#: Headers that something reads, each with values that only an attacker sends.
HEADERS: list[tuple[str, str]] = [
    *((name, text) for name in _READ for text in _TEXTS),
    *(("Authorization", f"Bearer{text}") for text in ("", " \xff", " a b", " " + "x" * 9000)),
    *(("Authorization", f"Basic{text}") for text in ("", " \xff", " Og==", " AA==", " //79", " AAA6AAA=", " 7aCAOmE=")),
    ("Authorization", "Digest username=a"),
    ("If-Modified-Since", "Fri, 99 Foo 99999 99:99:99 GMT"),
    ("If-Modified-Since", "Mon, 01 Jan 0000 00:00:00 GMT"),
    ("Range", "bytes=9-1,5-"),
    ("Range", "bytes=" + "9" * 40 + "-"),
    ("Cookie", "sessionid=a; messages=\xff; csrftoken=" + "x" * 300),
    ("Content-Length", "²"),
    ("Content-Length", "-1"),
    ("Content-Length", "9" * 30),
    ("Transfer-Encoding", "chunked"),
    ("X-HTTP-Method-Override", "DELETE"),
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"]
_HERE = '"\\uffff here"'


def spoiled(body: object) -> Iterator[bytes]:
    """Yield the JSON of a body with one of its values, at any depth, replaced by each of JSON_TEXTS."""
    for variant in _marked(body):
        text = json.dumps(variant)
        for replacement in JSON_TEXTS:
            yield text.replace(_HERE, replacement).encode("utf-8", "surrogatepass")


def _marked(body: object) -> Iterator[object]:
    yield "\uffff here"
    if isinstance(body, Mapping):
        for name in body:
            yield from ({**body, name: inner} for inner in _marked(body[name]))
        yield {**body, "unknown": "\uffff here"}
    elif isinstance(body, Sequence) and not isinstance(body, str):
        for place, item in enumerate(body):
            yield from ([*body[:place], inner, *body[place + 1 :]] for inner in _marked(item))
