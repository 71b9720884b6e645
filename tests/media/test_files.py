# SPDX-License-Identifier: Apache-2.0
"""Media are kept whole or not at all, for nobody else to read, and go when they are old and nobody needs them."""

import asyncio
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media import making
from wigwag.adapters.media import MediaFiles
from wigwag.adapters.media.files import FRESH
from wigwag.domain.contents import Kind
from wigwag.domain.errors import InvalidMessage, NotFound, Unavailable
from wigwag.domain.media import OPUS


class Time:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def files(tmp_path: Path, time: Time) -> MediaFiles:
    return MediaFiles(tmp_path / "a" / "media", budget=1000, now=time)


def kept(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "a" / "media").iterdir())


@pytest.mark.parametrize("data", [b"", b"hello", bytes(range(256)) * 5000], ids=["empty", "short", "long"])
async def test_what_is_kept_is_read_byte_by_byte(files: MediaFiles, data: bytes) -> None:
    media_id = await files.keep(data)
    assert media_id == hashlib.sha256(data).hexdigest()
    assert await files.read(media_id) == data


async def test_the_same_bytes_are_kept_once(files: MediaFiles, tmp_path: Path) -> None:
    ids = await asyncio.gather(*(files.keep(b"hello") for _ in range(20)))
    assert kept(tmp_path) == sorted(set(ids))
    await files.keep(b"hello")
    assert len(set(ids)) == 1


async def test_nobody_else_can_read_them(files: MediaFiles, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "media"
    media_id = await files.keep(b"hello")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / media_id).stat().st_mode & 0o777 == 0o600


async def test_they_outlive_a_restart(files: MediaFiles, tmp_path: Path, time: Time) -> None:
    media_id = await files.keep(b"hello")
    again = MediaFiles(tmp_path / "a" / "media", budget=1000, now=time)
    assert await again.read(media_id) == b"hello"
    assert again.usage == 5


@pytest.mark.parametrize("media_id", ["0" * 64, "", "x", "../../etc/passwd", "A" * 64, "0" * 63 + "\n", "0" * 65])
async def test_what_was_never_kept_is_not_found(files: MediaFiles, media_id: str) -> None:
    with pytest.raises(NotFound):
        await files.read(media_id)
    with pytest.raises(NotFound):
        await files.prepare(media_id, Kind.IMAGE)
    assert not await files.has(media_id)


async def test_what_is_removed_is_gone(files: MediaFiles) -> None:
    first, second = await files.keep(b"first"), await files.keep(b"second")
    await files.remove([first, "0" * 64])
    with pytest.raises(NotFound):
        await files.read(first)
    assert [await files.has(first), await files.has(second)] == [False, True]
    assert await files.read(second) == b"second"
    assert files.usage == 6


async def test_the_usage_counts_what_is_kept(files: MediaFiles) -> None:
    assert files.usage == 0
    await files.keep(bytes(300))
    await files.keep(bytes(300))
    await files.keep(bytes(400))
    assert files.usage == 700


async def keep_in_turn(files: MediaFiles, time: Time, count: int, size: int) -> list[str]:
    ids = []
    for number in range(count):
        ids.append(await files.keep(bytes([number]) * size))
        time.now += 1
    time.now += FRESH
    return ids


async def test_what_somebody_asked_for_is_not_deleted_before_they_use_it(files: MediaFiles, time: Time) -> None:
    first, second, *_ = await keep_in_turn(files, time, 4, 400)
    assert await files.has(first)
    await files.cleanup([])
    assert [await files.has(first), await files.has(second)] == [True, False]


async def test_what_was_not_used_for_longest_goes_first(files: MediaFiles, time: Time, tmp_path: Path) -> None:
    first, second, *_ = await keep_in_turn(files, time, 4, 400)
    await files.read(first)
    await files.keep(bytes([1]) * 400)  # the second one again
    time.now += FRESH + 1
    assert await files.cleanup([]) == 2
    assert kept(tmp_path) == sorted([first, second])
    assert files.usage == 800


async def test_what_is_needed_stays_even_beyond_the_budget(files: MediaFiles, time: Time, tmp_path: Path) -> None:
    ids = await keep_in_turn(files, time, 4, 400)
    assert await files.cleanup(ids[:3]) == 1
    assert kept(tmp_path) == sorted(ids[:3])


async def test_within_the_budget_nothing_goes(files: MediaFiles, time: Time) -> None:
    await keep_in_turn(files, time, 2, 500)
    assert await files.cleanup([]) == 0


async def test_what_was_just_uploaded_waits_for_the_message_that_names_it(files: MediaFiles, time: Time) -> None:
    media_id = await files.keep(bytes(5000))
    time.now += FRESH - 1
    assert await files.cleanup([]) == 0
    time.now += 2
    assert await files.cleanup([]) == 1
    with pytest.raises(NotFound):
        await files.read(media_id)


async def test_what_a_dead_process_left_unfinished_is_cleared_away(
    files: MediaFiles, time: Time, tmp_path: Path
) -> None:
    folder = tmp_path / "a" / "media"
    old, new, foreign = folder / "old.part", folder / "new.part", folder / "notes.txt"
    for path in (old, new, foreign):
        path.write_bytes(bytes(5000))
        os.utime(path, (time.now, time.now))
    time.now += 3000
    os.utime(new, (time.now, time.now))
    time.now += 1000
    assert await files.cleanup([]) == 0
    assert kept(tmp_path) == ["new.part", "notes.txt"]


@given(
    sizes=st.lists(st.integers(1, 400), max_size=12, unique=True),
    needed=st.sets(st.integers(0, 11)),
    budget=st.integers(0, 2000),
)
def test_a_cleanup_ends_within_the_budget_or_with_needed_ones_alone(
    sizes: list[int], needed: set[int], budget: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def story() -> None:
        time = Time()
        files = MediaFiles(tmp_path_factory.mktemp("media"), budget=budget, now=time)
        ids = [await files.keep(bytes(size)) for size in sizes]
        time.now += FRESH + 1
        wanted = {ids[number] for number in needed if number < len(ids)}
        removed = await files.cleanup(wanted)
        left = [media_id for media_id in ids if (files._folder / media_id).exists()]
        assert wanted <= set(left)
        assert len(left) == len(ids) - removed
        assert files.usage == sum(sizes[ids.index(media_id)] for media_id in left)
        assert files.usage <= budget or set(left) == wanted
        assert not removed or files.usage + max(sizes) > budget

    asyncio.run(story())


FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from wigwag.adapters.media import MediaFiles
from wigwag.domain.errors import Unavailable

async def main():
    files = MediaFiles(Path(sys.argv[1]), budget=1, now=lambda: 1.0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        await files.keep(bytes(5000))
    except Unavailable as error:
        print(error)
    print(files.usage, len(await files.keep(b"small")), len(list(Path(sys.argv[1]).iterdir())))

asyncio.run(main())
"""


def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    """A process that may write no more than 1000 bytes into a file stands in for the disk."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == [
        "The disk of the media folder is full: free some of it, or make the budget of media smaller.",
        "0 64 1",
    ]


async def test_a_folder_that_went_away_is_told(files: MediaFiles, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "media"
    folder.rmdir()
    folder.write_text("not a folder")
    with pytest.raises(Unavailable, match="media folder"):
        await files.keep(b"hello")
    with pytest.raises(Unavailable):
        await files.cleanup([])
    with pytest.raises(Unavailable):
        MediaFiles(folder, budget=1, now=Time())


async def test_a_caller_who_leaves_does_no_harm(files: MediaFiles) -> None:
    leaving = asyncio.create_task(files.keep(b"hello"), name="leaving")
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    for number in range(5):
        assert await files.read(await files.keep(bytes([number]))) == bytes([number])


@pytest.mark.parametrize(
    ("kind", "data", "claimed", "told"),
    [
        (Kind.IMAGE, making.picture("JPEG"), "image/png", ("image/jpeg", 640, 480, 0)),
        (Kind.STICKER, making.picture("PNG"), "", ("image/webp", 512, 512, 0)),
        (Kind.VIDEO, making.film(12), "", ("video/mp4", 640, 360, 12)),
        (Kind.AUDIO, making.song(200), "", ("audio/mp4", 0, 0, 200)),
        (Kind.AUDIO, making.wav(2), "", ("audio/wav", 0, 0, 2)),
        (Kind.VOICE, making.opus(7), "audio/ogg", (OPUS, 0, 0, 7)),
        (Kind.DOCUMENT, b"%PDF-1.7", "", ("application/pdf", 0, 0, 0)),
        (Kind.DOCUMENT, b"a,b\n1,2\n", "", ("text/csv", 0, 0, 0)),
        (Kind.DOCUMENT, b"a,b\n1,2\n", "text/plain", ("text/plain", 0, 0, 0)),
        (Kind.DOCUMENT, making.picture("PNG"), "", ("image/png", 0, 0, 0)),
    ],
)
async def test_each_kind_is_prepared_with_what_whatsapp_wants_to_know(
    files: MediaFiles, kind: Kind, data: bytes, claimed: str, told: tuple[str, int, int, int]
) -> None:
    prepared = await files.prepare(await files.keep(data), kind, claimed, "table.csv")
    assert (prepared.mimetype, prepared.width, prepared.height, prepared.seconds) == told
    assert bool(prepared.thumbnail) is (kind is Kind.IMAGE)
    assert prepared.data == data or kind is Kind.STICKER


async def test_what_is_not_fit_is_refused_with_its_reason(files: MediaFiles) -> None:
    media_id = await files.keep(b"MZ" + bytes(100))
    with pytest.raises(InvalidMessage) as raised:
        await files.prepare(media_id, Kind.IMAGE, "image/jpeg", "holiday.jpg")
    assert raised.value.reason == "media_unsupported"
