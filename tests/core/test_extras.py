"""A package that is not installed is a sentence with the command that installs it."""

import pytest

from mlspring.core.errors import MachineError
from mlspring.core.extras import demand, imported, version_of


def test_an_absent_package_names_what_needs_it_and_the_command() -> None:
    for ask in (demand, imported):
        with pytest.raises(MachineError, match="no_such_package, with which") as caught:
            ask("no_such_package", extra="speech", purpose="recordings are read")
        assert "recordings are read" in str(caught.value)
        assert "pip install 'mlspring[speech]'" in str(caught.value)


def test_the_version_of_an_absent_package_is_the_same_sentence() -> None:
    assert version_of("numpy", "speech", "numbers are made")[0].isdigit()
    with pytest.raises(MachineError, match="pip install 'mlspring"):
        version_of("no-such-package", "speech", "many speakers are made")


def test_a_package_whose_library_does_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> None:
        raise OSError("cannot load library 'libsndfile.so'")

    monkeypatch.setattr("importlib.import_module", fails)
    with pytest.raises(MachineError, match=r"does not load \(cannot load library"):
        imported("json", extra="speech", purpose="recordings are read")
