# SPDX-License-Identifier: Apache-2.0
"""How long something plays is read from its headers, and broken headers say nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media import making
from wigwag.domain.durations import frame, seconds
from wigwag.domain.media import OPUS

SECONDS = st.integers(1, 7200)


@given(length=SECONDS, skip=st.integers(0, 65535))
def test_an_ogg_with_opus_tells_by_its_last_page(length: int, skip: int) -> None:
    assert seconds(making.opus(length, skip), OPUS) == length


@given(length=SECONDS, long=st.booleans())
def test_a_film_tells_by_its_header(length: int, long: bool) -> None:
    assert seconds(making.film(length, long=long), "video/mp4") == length


@given(SECONDS)
def test_a_song_in_an_mp4_tells_too(length: int) -> None:
    assert seconds(making.song(length), "audio/mp4") == length


@given(st.integers(1, 20))
def test_a_wav_tells_by_its_size(length: int) -> None:
    assert seconds(making.wav(length), "audio/wav") == length


@given(frames=st.integers(40, 200), counted=st.booleans(), tagged=st.booleans())
def test_an_mp3_tells_within_a_second(frames: int, counted: bool, tagged: bool) -> None:
    told = seconds(making.mp3(frames, counted=counted, tagged=tagged), "audio/mpeg")
    assert told == pytest.approx(frames * 1152 / 44100, abs=1)


def test_the_shortest_sound_lasts_a_second() -> None:
    assert seconds(making.opus(0.2), OPUS) == 1


@pytest.mark.parametrize(
    ("data", "mimetype"),
    [
        (making.opus(0, skip=0), OPUS),
        (making.vorbis(), "audio/ogg"),
        (making.wav(1).replace(b"data", b"atad"), "audio/wav"),
        (making.wav(1, rate=8000).replace((16000).to_bytes(4, "little"), bytes(4)), "audio/wav"),
        (making.film(3).replace(b"mvhd", b"dhvm"), "video/mp4"),
        (making.song(3).replace((44100).to_bytes(4, "big"), bytes(4)), "audio/mp4"),
        (b"ID3", "audio/mpeg"),
        (b"\xff\xfb\x90\x00Info", "audio/mpeg"),
        (b"%PDF-", "application/pdf"),
        (b"", OPUS),
    ],
)
def test_what_cannot_be_known_is_0(data: bytes, mimetype: str) -> None:
    assert seconds(data, mimetype) == 0


def test_a_film_tells_its_size() -> None:
    assert frame(making.film(3, size=(1280, 720))) == (1280, 720)
    assert frame(making.song(3)) == (0, 0)


ALL = [
    (making.opus(3), OPUS),
    (making.wav(1), "audio/wav"),
    (making.mp3(20, tagged=True), "audio/mpeg"),
    (making.mp3(20, counted=True), "audio/mpeg"),
    (making.film(3), "video/mp4"),
    (making.film(3, long=True), "video/mp4"),
]


@given(case=st.sampled_from(ALL), at=st.integers(0, 500), patch=st.binary(max_size=12), cut=st.integers(0, 500))
def test_broken_headers_do_no_harm(case: tuple[bytes, str], at: int, patch: bytes, cut: int) -> None:
    data, mimetype = case
    broken = (data[:at] + patch + data[at + len(patch) :])[: len(data) - cut]
    assert 0 <= seconds(broken, mimetype) < 1e6
    assert min(frame(broken)) >= 0
