# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Finding the ends of JSON objects in a stream."""

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.ovsdb.faults import Misspoken
from quantum.channel.ovsdb.framing import Splitter

texts = st.text(st.sampled_from('ab{}[]"\\/é\n,:'))
documents = st.dictionaries(
    texts,
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
        max_leaves=8,
    ),
)


class SplitterTests(SynchronousTestCase):
    """Objects come out as they went in."""

    @given(st.lists(documents, max_size=4), st.data())
    def test_any_split(self, wanted: list[dict], data: st.DataObject) -> None:
        """However the stream is cut, the same objects come out."""
        stream = b" \n".join(
            json.dumps(document, ensure_ascii=False).encode() for document in wanted
        )
        splitter, found = Splitter(), []
        while stream:
            size = data.draw(st.integers(1, len(stream)))
            found += [json.loads(part) for part in splitter.feed(stream[:size])]
            stream = stream[size:]
        self.assertEqual(wanted, found)

    def test_byte_by_byte(self) -> None:
        """Escaped quotes and braces in strings survive one byte at a time."""
        stream = rb'{"a":"\\"}{"b":"}\"{"} {"c":{"d":"\\\\\""}}'
        splitter = Splitter()
        found = [p for byte in stream for p in splitter.feed(bytes([byte]))]
        expected = [rb'{"a":"\\"}', rb'{"b":"}\"{"}', rb'{"c":{"d":"\\\\\""}}']
        self.assertEqual(expected, found)

    def test_many_in_one_chunk(self) -> None:
        """One chunk may hold any number of objects and the start of another."""
        splitter = Splitter()
        self.assertEqual([b"{}"] * 1000, list(splitter.feed(b"{}" * 1000 + b'{"a')))
        self.assertEqual([b'{"a":1}'], list(splitter.feed(b'":1}')))

    def test_something_else(self) -> None:
        """What is not an object is refused at its first byte."""
        for stream in (b"[]", b"null", b"GET / HTTP/1.1", b"\x16\x03\x01", b"}", b'"'):
            with self.assertRaises(Misspoken):
                list(Splitter().feed(stream))

    def test_too_long(self) -> None:
        """A message is never collected beyond the limit."""
        splitter = Splitter(size_limit=1000)
        for chunk in (b'{"a":"', *[b"x" * 100] * 9):
            self.assertEqual([], list(splitter.feed(chunk)))
        with self.assertRaises(Misspoken):
            list(splitter.feed(b"x" * 100))

    def test_too_deep(self) -> None:
        """A tower of objects is refused before anybody decodes it."""
        with self.assertRaises(Misspoken):
            list(Splitter().feed(b'{"a":' * 200_000))

    def test_endless_chunks(self) -> None:
        """Hundreds of thousands of small chunks may make one string."""
        splitter = Splitter()
        for _ in range(200_000):
            self.assertEqual([], list(splitter.feed(b'{"a":"' if not _ else b"\\\\")))
        self.assertEqual(1, len(list(splitter.feed(b'"}'))))
