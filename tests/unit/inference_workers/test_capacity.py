from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from inference_workers.capacity import LARGE_PIXELS, Room, give_back_memory, keep_no_freed_memory, nobody


class Cancelled(Exception):
    pass


def test_pictures_that_fit_are_worked_on_together() -> None:
    room = Room(10)
    with room.hold(5, nobody), room.hold(5, nobody):
        pass


def test_one_that_is_larger_than_the_room_gets_all_of_it() -> None:
    with Room(10).hold(11, nobody):
        pass


def test_what_does_not_fit_waits_for_its_turn_and_nothing_overtakes_it() -> None:
    room, order, large_waits = Room(10), [], Event()

    def work(pixels: int, beat: Event) -> None:
        with room.hold(pixels, beat.set):
            order.append(pixels)

    with ThreadPoolExecutor(2) as pool:
        with room.hold(6, nobody):
            large = pool.submit(work, 10, large_waits)
            large_waits.wait()
            small_waits = Event()
            small = pool.submit(work, 1, small_waits)
            small_waits.wait()
            assert order == []
        large.result()
        small.result()
    assert order == [10, 1]


def test_what_waits_can_be_told_to_stop_and_leaves_no_trace() -> None:
    def stop() -> None:
        raise Cancelled

    room = Room(10)
    with room.hold(6, nobody):
        with pytest.raises(Cancelled), room.hold(6, stop):
            pass
        with room.hold(4, nobody):
            pass


def test_room_comes_back_after_an_error() -> None:
    room = Room(10)
    with pytest.raises(Cancelled), room.hold(10, nobody):
        raise Cancelled
    with room.hold(10, nobody):
        pass


def test_memory_can_be_given_back_at_any_time() -> None:
    keep_no_freed_memory()
    give_back_memory()
    with Room(LARGE_PIXELS).hold(LARGE_PIXELS, nobody):
        pass
