import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evolve.report.page import write_report
from tests.unit.report.chromium import Chromium, find_chromium
from tests.unit.report.report_runs import call, failed, meta_of, scored, write_run

BROWSER = find_chromium()
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome is installed")
ESCAPES = "\x1b]0;owned\x07\x1b[31m \x00 \u202eevil\u2066 \ufeff"

PLACES = """
(() => {
  const walker = document.createTreeWalker(document.querySelector('article pre'), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.data.indexOf('\u05d0');
    if (at < 0) continue;
    return [0, 1, 2].map(step => {
      const range = document.createRange();
      range.setStart(node, at + step);
      range.setEnd(node, at + step + 1);
      return range.getBoundingClientRect().left;
    });
  }
})()
"""


@pytest.fixture(scope="module")
def canary() -> Iterator[socket.socket]:
    """A server that nobody may call."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.setblocking(False)
        yield server


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, canary: socket.socket) -> Path:
    """The report of a run whose every text tries to run a script, to call out or to hide something."""
    address = f"http://127.0.0.1:{canary.getsockname()[1]}"
    evil = (
        f'"\'></script></style></title></pre><script>alert(1)</script><img src="{address}/i" onerror="alert(2)">'
        f'<svg onload=alert(3)><link rel=stylesheet href="{address}/s"><meta http-equiv=refresh content="0;{address}">'
        f"<style>@import '{address}/c';*{{display:none}}</style>&lt;b&gt;{ESCAPES}"
    )
    text = f"# {evil}\n# \u05d0\u05d1\u05d2\ndef f(x):\n    return '''{evil}'''\ud800\n"
    records = [
        scored(1, 1.0, text=text, operator=evil, judged={"metrics": {evil: 1.0}, "artifacts": {"picture": evil}}),
        failed(2, f"Traceback\n{evil}", text=text, operator=evil),
        scored(3, 3.0, parents=(1,), files={evil: text, "b": evil}, operator=evil),
        scored(4, 4.0, parents=(3, 1), text=text.replace("f(x)", "g(x)")),
    ]
    folder = tmp_path_factory.mktemp("report")
    meta = meta_of(title=evil, statement=evil)
    meta["problem"]["tables"]["known"] = {"value": 5.0, "source": evil, "kind": evil}
    meta["versions"] = {evil: evil}
    run = write_run(folder / "run", records, meta=meta, calls=[call(2, model=evil, text=evil), call(3, model=evil)])
    write_report(run, folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    assert BROWSER is not None
    with Chromium(BROWSER, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def test_a_browser_finds_nothing_to_run_and_nothing_to_ask_for(
    browser: Chromium, report: Path, canary: socket.socket
) -> None:
    browser.open(report.as_uri())

    assert browser.complaints() == []
    assert browser.requests() == [report.as_uri()]
    assert browser.value("document.querySelectorAll('script,img,link,iframe,object,embed,form,base,image').length") == 0
    assert (
        browser.value("[...document.querySelectorAll('*')].some(e => [...e.attributes].some(a => /^on/.test(a.name)))")
        is False
    )
    assert browser.value("document.styleSheets.length") == 1
    with pytest.raises(BlockingIOError):
        canary.accept()


def test_markup_that_slipped_through_would_be_stopped_by_the_policy(
    browser: Chromium, report: Path, canary: socket.socket, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{canary.getsockname()[1]}"
    slipped = f"<script>document.title='owned'</script><img src='{address}/i'><style>body{{color:red}}</style>"
    slipped += (
        f"<svg onload=\"document.title='owned'\"></svg><link rel=stylesheet href='{address}/s'><p style='color:red'>"
    )
    page = tmp_path / "page.html"
    page.write_text(report.read_text().replace("</main>", f"{slipped}</main>"))

    browser.open(page.as_uri())

    assert browser.value("document.title") == "toy: report of a run"
    assert browser.value("getComputedStyle(document.body).color") == "rgb(27, 31, 36)"
    assert len(browser.complaints()) >= 5
    with pytest.raises(BlockingIOError):
        canary.accept()


def test_hostile_text_is_shown_and_not_obeyed(browser: Chromium, report: Path) -> None:
    browser.open(report.as_uri())

    code = browser.value("document.querySelector('article pre').textContent")
    everything = browser.value("document.documentElement.textContent")
    assert "<script>alert(1)</script>" in code
    assert "\\x1b[31m" in code
    assert "\\u202e" in code
    assert "\\ud800" in code
    assert not {"\x1b", "\x00", "\u202e", "\u2066", "\ufeff"} & set(everything)
    assert browser.value("getComputedStyle(document.querySelector('article')).display") == "block"


def test_letters_written_from_right_to_left_stand_in_their_order_in_a_program(browser: Chromium, report: Path) -> None:
    browser.open(report.as_uri())

    places = browser.value(PLACES)

    assert len(places) == 3
    assert places == sorted(places)


@pytest.mark.parametrize(("dark", "light_ground"), [(False, True), (True, False)])
def test_the_style_is_allowed_and_follows_the_reader(
    browser: Chromium, report: Path, dark: bool, light_ground: bool
) -> None:
    browser.open(report.as_uri(), dark=dark)

    ground = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is light_ground
    assert browser.complaints() == []


def test_a_phone_shows_the_page_without_scrolling_sideways(browser: Chromium, report: Path) -> None:
    browser.open(report.as_uri(), width=360)

    assert browser.value("document.documentElement.scrollWidth") <= 360


def test_every_link_leads_somewhere_on_the_page(browser: Chromium, report: Path) -> None:
    browser.open(report.as_uri())

    targets = browser.value("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    ids = browser.value("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(targets) > 8
    assert {target.removeprefix("#") for target in targets} <= set(ids)
    assert len(ids) == len(set(ids))
