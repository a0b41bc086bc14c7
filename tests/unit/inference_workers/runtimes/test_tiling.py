from hypothesis import given
from hypothesis import strategies as st

from inference_workers.runtimes.tiling import tiles

EDGES = st.integers(1, 40)


@given(height=EDGES, width=EDGES, edge=EDGES)
def test_every_pixel_is_covered_exactly_once(height: int, width: int, edge: int) -> None:
    covered = [
        (row, column)
        for tile in tiles(height=height, width=width, edge=edge)
        for row in range(tile.top, tile.top + tile.height)
        for column in range(tile.left, tile.left + tile.width)
    ]
    assert sorted(covered) == [(row, column) for row in range(height) for column in range(width)]


@given(height=EDGES, width=EDGES, edge=EDGES)
def test_no_tile_is_larger_than_asked(height: int, width: int, edge: int) -> None:
    assert all(max(tile.height, tile.width) <= edge for tile in tiles(height=height, width=width, edge=edge))
