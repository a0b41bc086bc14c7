import pytest

from governance.kernel.errors import Unavailable
from governance.kernel.ports import Port, PortUnbound


class Adapter:
    pass


def test_unbound_port_is_unavailable_and_named() -> None:
    port: Port[Adapter] = Port("engine")

    with pytest.raises(PortUnbound, match="engine") as caught:
        port.get()

    assert isinstance(caught.value, Unavailable)
    assert caught.value.error_code == "port_unbound"


def test_adapter_is_built_once_and_only_on_use() -> None:
    built: list[Adapter] = []

    def build() -> Adapter:
        built.append(Adapter())
        return built[-1]

    port: Port[Adapter] = Port("engine")
    port.bind(build)
    assert built == []

    assert port.get() is port.get() is built[0]
    assert len(built) == 1


def test_reset_and_bind_forget_the_built_adapter() -> None:
    port: Port[Adapter] = Port("engine")
    port.bind(Adapter)
    first = port.get()

    port.reset()
    second = port.get()
    port.bind(Adapter)

    assert first is not second
    assert port.get() is not second


def test_override_holds_inside_the_block_and_also_without_a_binding() -> None:
    port: Port[Adapter] = Port("engine")
    substitute = Adapter()

    with port.override(substitute) as given:
        assert given is substitute
        assert port.get() is substitute
    with pytest.raises(PortUnbound):
        port.get()


def test_override_ends_with_an_error_and_the_built_adapter_returns() -> None:
    port: Port[Adapter] = Port("engine")
    port.bind(Adapter)
    built = port.get()

    with pytest.raises(RuntimeError), port.override(Adapter()):
        raise RuntimeError
    assert port.get() is built
