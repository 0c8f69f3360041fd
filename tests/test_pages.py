"""Pages made from READMEs."""

from pathlib import Path

from scripts.pages import relinked


def test_links_of_a_page_lead_where_they_led() -> None:
    text = "[a](a.py), ![b](../../b.png), [c](https://c.org/c), [d](#levels)"
    assert relinked(text, Path("/x/src/island"), Path("/x/docs")) == (
        "[a](../src/island/a.py), ![b](../b.png), [c](https://c.org/c), [d](#levels)"
    )
