"""The documentation as a whole: what is made from code is up to date, every page has its place, every link an end."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from evolve.cli.library import library
from evolve.cli.reference import reference
from evolve.cli.zoo import zoo_page

HOME = Path(__file__).resolve().parents[2]
DOCS = HOME / "docs"
PAGES = sorted(path.name for path in DOCS.glob("*.md"))
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")


def places(entry: object) -> Iterator[str]:
    """The pages that the navigation names."""
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, dict):
        for each in entry.values():
            yield from places(each)
    elif isinstance(entry, list):
        for each in entry:
            yield from places(each)


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as the site and code hosts make them."""
    text = re.sub(r"^```.*?^```", "", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower()) for title in titles}


def test_the_reference_of_commands_is_what_the_code_says() -> None:
    written = (DOCS / "commands.md").read_text(encoding="utf-8")

    assert written == reference(), "docs/commands.md is old: python -m evolve.cli.reference > docs/commands.md"


def test_the_library_of_constructions_is_what_the_folders_say() -> None:
    written = (DOCS / "library.md").read_text(encoding="utf-8")

    assert written == library(), "docs/library.md is old: python -m evolve.cli.library > docs/library.md"


def test_the_zoo_of_update_rules_is_what_their_texts_say() -> None:
    written = (DOCS / "zoo.md").read_text(encoding="utf-8")

    assert written == zoo_page(), "docs/zoo.md is old: python -m evolve.cli.zoo > docs/zoo.md"


def test_every_command_and_option_is_in_the_reference() -> None:
    text = reference()

    for expected in ("## evolve pause", "## evolve config show", "--metrics-port PORT", "75  stopped from outside"):
        assert expected in text


def test_every_page_has_its_place_in_the_navigation_and_every_place_its_page() -> None:
    settings = yaml.safe_load((HOME / "mkdocs.yml").read_text(encoding="utf-8"))

    assert sorted(places(settings["nav"])) == PAGES
    assert settings["theme"]["font"] is False  # or the site asks a server for fonts


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```", "", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)

    for target in LINK.findall(text):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        assert not name or (DOCS / name).is_file(), f"{page}: {target}"
        assert not anchor or anchor in anchors(name or page), f"{page}: {target}"
    for picture in PICTURE.findall(text):
        assert (DOCS / picture).is_file(), f"{page}: {picture}"


def test_pictures_load_nothing_and_run_nothing() -> None:
    for path in sorted(DOCS.glob("assets/*.svg")):
        root = ElementTree.parse(path).getroot()
        for element in root.iter():
            assert element.tag.rpartition("}")[2] not in ("script", "image", "foreignObject", "use")
            assert not any(name.lower().startswith("on") or "href" in name for name in element.attrib)
