from governance.kernel.regions import ISO_3166_COUNTRIES, REGIONS


def test_all_countries_are_there() -> None:
    assert len(ISO_3166_COUNTRIES) == 249
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in REGIONS)


def test_the_union_is_a_region_and_made_up_codes_are_not() -> None:
    assert {"EU"} == REGIONS - ISO_3166_COUNTRIES
    assert not REGIONS & {"XX", "UK", "ZZ", "de"}
