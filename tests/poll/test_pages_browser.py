"""The pages of the recipes in a real browser, as voters and organisers use them."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest
from browser import check_contrast, check_layout, chromium
from pages import SITES, Site

import pairvote as pv

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the tests end servers as POSIX sessions"),
]

TITLES = [f"idea {number} <b>&amp;</b>" for number in range(5)] + ["long " * 50 + "end", "W" * 200]
N_VOTERS, VOTES_EACH, SKIPS_EACH = 20, 20, 10
ELSEWHERE = "http://elsewhere.test/"
OTHERS = {"tie": "Both alike", "skip": "Skip"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module", params=SITES)
def site(request, browser, tmp_path_factory) -> Iterator[Site]:
    with SITES[request.param](tmp_path_factory.mktemp(request.param), TITLES, N_VOTERS) as found:
        yield found


@pytest.fixture
def organiser(site, browser) -> Iterator[Page]:
    page = site.organise(browser)
    yield page
    page.context.close()


@pytest.fixture
def voter(site, browser) -> Iterator[tuple[Page, str | int]]:
    """A voter whom no other test has, at her page, and who she is in the poll."""
    _last[site.name] += 1
    page = site.vote(browser, _last[site.name])
    yield page, site.voter(_last[site.name])
    page.context.close()


_last: Counter[str] = Counter()


def offered(page: Page) -> list[str]:
    """The titles on the two large buttons."""
    page.get_by_role("heading", name="Which is better?").wait_for()
    return [text.strip() for text in page.locator(".pair button").all_inner_texts()]


def press(page: Page, outcome: str) -> None:
    """Answer what is asked, and wait for the next page."""
    if outcome in OTHERS:
        click(page, page.get_by_role("button", name=OTHERS[outcome]))
    else:
        click(page, page.locator(".pair").get_by_role("button").nth(["left", "right"].index(outcome)))


def click(page: Page, button: Locator) -> None:
    """Press a button or a link that leads to another page."""
    with page.expect_navigation():
        button.click()


def twice(page: Page, selector: str) -> None:
    """A double click that is faster than the network: the page sends its form twice."""
    with page.expect_navigation():
        page.locator(selector).first.evaluate("button => { button.click(); button.click(); }")


def votes_of(poll: pv.Poll, voter: str | int) -> list[tuple[str | int, str | int, str]]:
    return [(answer.left, answer.right, answer.outcome) for answer in poll.history(voter)]


def said(page: Page) -> str:
    return page.get_by_role("status").inner_text()


# --- voters ---


def test_a_voter_casts_twenty_votes_without_scripts(site, browser) -> None:
    page = site.vote(browser, 0, java_script_enabled=False)
    expected = []
    outcomes = [["left", "right", "tie", "skip"][step % 4] for step in range(24)] + ["left", "right"]
    for outcome in outcomes:
        left, right = offered(page)
        used = sum(done != "skip" for _, _, done in expected)
        assert page.get_by_text(f"Vote {used + 1} of {VOTES_EACH}").is_visible()
        bar = page.get_by_role("progressbar", name=f"Vote {used + 1} of {VOTES_EACH}")
        assert (bar.get_attribute("value"), bar.get_attribute("max")) == (str(used), str(VOTES_EACH))
        press(page, outcome)
        expected.append((left, right, outcome))
    page.get_by_role("heading", name="Thank you!").wait_for()
    assert f"used all your {VOTES_EACH} votes" in page.locator("main").inner_text()
    with site.poll() as poll:
        given = [
            (site.title(left), site.title(right), outcome) for left, right, outcome in votes_of(poll, site.voter(0))
        ]
        assert given == [(" ".join(left.split()), right, outcome) for left, right, outcome in expected]
        assert poll.remaining(site.voter(0)) == 0
    # She thinks again: the last answer is given anew.
    click(page, page.get_by_role("button", name="Take that back"))
    assert offered(page) == list(expected[-1][:2])
    press(page, "tie")
    page.get_by_role("heading", name="Thank you!").wait_for()
    with site.poll() as poll:
        assert votes_of(poll, site.voter(0))[-1][2] == "tie"
    page.context.close()


def test_a_double_click_is_one_vote(site, voter) -> None:
    page, who = voter
    for place in (1, 2, 3):
        twice(page, ".pair button")
        offered(page)
        assert page.get_by_text(f"Vote {place + 1} of").is_visible()
    page.locator(".pair button").first.dblclick()
    page.get_by_text("Vote 5 of").wait_for()
    with site.poll() as poll:
        assert [outcome for _, _, outcome in votes_of(poll, who)] == ["left"] * 4


def test_a_new_page_takes_no_click_at_first(voter) -> None:
    page, _ = voter
    assert page.locator(".vote button").evaluate_all(
        """buttons => buttons.map(button => {
          const [waiting] = button.getAnimations();
          const at = () => {
            const box = button.getBoundingClientRect();
            return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === button;
          };
          if (!waiting) return "ready at once";
          waiting.pause();
          waiting.currentTime = 399;
          const early = at();
          waiting.finish();
          return [early, at()];
        })"""
    ) in ([[False, True]] * 4, ["ready at once"] * 4)


def test_two_tabs_ask_the_same_and_the_first_answer_counts(site, voter) -> None:
    page, who = voter
    tab = page.context.new_page()
    tab.goto(page.url)
    assert offered(tab) == offered(page)
    press(page, "left")
    press(tab, "right")
    assert "not counted" in said(tab)
    assert offered(tab) == offered(page)
    # The button that goes back shows what is asked now, and not what was asked then.
    page.go_back()
    assert offered(page) == offered(tab)
    press(tab, "tie")
    press(page, "tie")
    with site.poll() as poll:
        assert [outcome for _, _, outcome in votes_of(poll, who)] == ["left", "tie"]


def test_taking_back_twice_takes_one_answer_back(site, voter) -> None:
    page, who = voter
    asked = []
    for outcome in ("left", "right", "tie"):
        asked.append(offered(page))
        press(page, outcome)
    offered(page)
    twice(page, ".undo button")
    page.get_by_text("Vote 3 of").wait_for()
    assert offered(page) == asked[2]
    assert "rather than" in page.locator(".undo").inner_text()
    click(page, page.get_by_role("button", name="Take that back"))
    page.get_by_text("Vote 2 of").wait_for()
    assert offered(page) == asked[1]
    with site.poll() as poll:
        assert [outcome for _, _, outcome in votes_of(poll, who)] == ["left"]


def test_skips_run_out_in_sight(site, voter) -> None:
    page, who = voter
    for left in range(SKIPS_EACH, 0, -1):
        click(page, page.get_by_role("button", name=f"Skip ({left} left)"))
    page.get_by_role("button", name="Both alike").wait_for()
    page.get_by_text("Vote 1 of").wait_for()
    assert page.get_by_role("button", name="Skip").count() == 0
    press(page, "tie")
    page.get_by_text("Vote 2 of").wait_for()
    with site.poll() as poll:
        assert poll.skips_remaining(who) == 0
        assert [outcome for _, _, outcome in votes_of(poll, who)] == ["skip"] * SKIPS_EACH + ["tie"]


def test_an_expired_question_is_asked_anew(site, voter) -> None:
    page, who = voter
    offered(page)
    with site.poll() as poll:
        # From now on whatever was asked before a call has expired.
        poll.change_settings(expire_after=1e-9)
        try:
            press(page, "left")
            assert "not counted" in said(page)
        finally:
            poll.change_settings(expire_after=3600)
        page.reload()
        press(page, "right")
        page.get_by_text("Vote 2 of").wait_for()
        assert [outcome for _, _, outcome in votes_of(poll, who)] == ["right"]


# --- voters and the organiser ---


def change(organiser: Page, title: str, button: str) -> None:
    """Unfold an item or a voter on the organiser's page, and press a button there."""
    folded = organiser.locator("details").filter(has=organiser.locator("summary", has_text=title))
    folded.locator("summary").click()
    click(organiser, folded.get_by_role("button", name=button))


def test_a_late_idea_is_asked_about(site, voter, organiser) -> None:
    page, _ = voter
    late = "a late <i>idea</i>"
    organiser.get_by_label("Title", exact=True).fill(f"  {late}\t")
    twice(organiser, "form[action$=add] button")
    organiser.locator("summary", has_text=late).wait_for()
    assert organiser.locator("summary", has_text=late).count() == 1
    for _ in range(VOTES_EACH):
        if late in offered(page):
            break
        press(page, "tie")
    assert late in offered(page)
    # Its title was wrong: it is another one from now on, also where it is asked about.
    organiser.locator("details").filter(has_text=late).locator("summary").click()
    folded = organiser.locator("details[open]")
    folded.get_by_label("New title").fill("a better title")
    click(organiser, folded.get_by_role("button", name="Rename"))
    organiser.locator("summary", has_text="a better title").wait_for()
    page.reload()
    assert "a better title" in offered(page)
    change(organiser, "a better title", "Ask about it no more")
    organiser.get_by_text("(retired)").wait_for()


def test_an_item_is_retired_while_it_is_on_screen(site, voter, organiser) -> None:
    page, who = voter
    title = offered(page)[0]
    change(organiser, title, "Ask about it no more")
    organiser.locator("summary", has_text="(retired)").filter(has_text=title).wait_for()
    press(page, "left")
    assert "not counted" in said(page)
    for _ in range(5):
        assert title not in offered(page)
        press(page, "tie")
    with site.poll() as poll:
        assert site.item(title) in poll.retired
        assert [outcome for _, _, outcome in votes_of(poll, who)] == ["tie"] * 5
    change(organiser, title, "Ask about it again")
    organiser.locator("summary", has_text="(retired)").filter(has_text=title).wait_for(state="detached")
    with site.poll() as poll:
        assert site.item(title) not in poll.retired


def test_the_vote_ends_and_goes_on(site, voter, organiser) -> None:
    page, who = voter
    press(page, "left")
    page.get_by_text("Vote 2 of").wait_for()
    twice(organiser, "form[action$=end] button")
    organiser.get_by_role("heading", name="The vote has ended").wait_for()
    press(page, "right")
    assert "not counted" in said(page)
    assert f"You cast 1 of {VOTES_EACH} votes." in page.locator("main").inner_text()
    assert page.get_by_role("button").count() == 0
    check_layout(page)
    click(page, page.get_by_role("link", name="See the results"))
    page.get_by_role("heading", name="Results").wait_for()
    with site.poll() as poll:
        assert poll.ended
        assert [outcome for _, _, outcome in votes_of(poll, who)] == ["left"]
    twice(organiser, "form[action$=reopen] button")
    organiser.get_by_role("heading", name="The vote is running").wait_for()
    page.go_back()
    page.get_by_text("Vote 2 of").wait_for()
    press(page, "right")
    page.get_by_text("Vote 3 of").wait_for()


def test_a_removed_voter_is_told_so(site, voter, organiser) -> None:
    page, who = voter
    press(page, "left")
    page.get_by_text("Vote 2 of").wait_for()
    organiser.reload()
    shown = f"{who[:6]}…" if isinstance(who, str) else f"voter{who - 1}"
    change(organiser, re.compile(rf"^{re.escape(shown)} "), f"Remove {shown}")
    organiser.locator("summary", has_text=shown).filter(has_text="(removed)").wait_for()
    press(page, "right")
    page.get_by_role("heading", name="You cannot vote here any more").wait_for()
    assert page.reload().status == 403
    with site.poll() as poll:
        assert poll.remaining(who) == 0
        assert votes_of(poll, who) == []


def test_one_item_left_is_nothing_to_compare(site, voter, organiser) -> None:
    page, _ = voter
    with site.poll() as poll:
        away = [item for item in poll.items if item not in poll.retired][1:]
        for item in away:
            poll.retire_item(item)
        try:
            press(page, "left")
            page.get_by_role("heading", name="Nothing to compare yet").wait_for()
            assert page.reload().status == 403
            assert organiser.reload().ok
            organiser.get_by_text("fewer than two items").wait_for()
        finally:
            for item in away:
                poll.restore_item(item)
    page.reload()
    press(page, "left")
    page.get_by_text("Vote 2 of").wait_for()


@pytest.mark.skipif(sys.platform != "linux", reason="the test takes the disk away from processes that run")
def test_a_full_disk_asks_to_try_again(site, voter) -> None:
    page, who = voter
    press(page, "left")
    page.get_by_text("Vote 2 of").wait_for()
    asked = offered(page)
    with site.server.full_disk():
        press(page, "right")
        page.get_by_role("heading", name="Please try again").wait_for()
        check_layout(page)
        assert page.reload().status == 503
    click(page, page.get_by_role("link", name="Go on"))
    assert offered(page) == asked
    press(page, "right")
    page.get_by_text("Vote 3 of").wait_for()
    with site.poll() as poll:
        assert [outcome for _, _, outcome in votes_of(poll, who)] == ["left", "right"]


# --- the organiser ---


def test_the_organiser_sees_how_the_vote_stands(site, voter, organiser) -> None:
    page, _ = voter
    press(page, "left")
    page.get_by_text("Vote 2 of").wait_for()
    organiser.reload()
    with site.poll() as poll:
        progress, retired, ranking = poll.voters(), poll.retired, pv.bradley_terry(poll.counts())
        most = poll.settings.votes_each
    figures = [int(text) for text in organiser.locator(".figures b").all_inner_texts()]
    assert figures == [
        sum(voter.votes for voter in progress),
        sum(voter.votes > 0 for voter in progress),
        sum(voter.votes == most for voter in progress),
    ]
    kept = [item for item in ranking.order() if item not in retired]
    shown = organiser.locator("ol .title").all_inner_texts()
    assert [text.strip() for text in shown] == [" ".join(site.title(item).split()) for item in kept]
    chances = [
        re.search(r"top 5: (?:under |over )?(\d+) %", text) for text in organiser.locator(".chance").all_inner_texts()
    ]
    assert sum(int(found[1]) for found in chances if found) == pytest.approx(500, abs=4)


def test_nobody_else_organises(site, browser, voter) -> None:
    page, _ = voter
    assert page.request.get(f"{site.address}/organiser", max_redirects=0).status in (302, 401)
    refused = page.request.post(f"{site.address}/organiser/end", max_redirects=0)
    assert refused.status in (302, 401, 403)
    with site.poll() as poll:
        assert not poll.ended


def fulfil(route: Route, body: str) -> None:
    route.fulfill(body=body, content_type="text/html")


def test_another_sites_page_can_do_nothing(site, browser, voter, organiser) -> None:
    page, who = voter
    for victim, path, fields in [
        (organiser, "/organiser/end", {}),
        (organiser, "/organiser/add", {"title": "forged"}),
        (page, page.url.removeprefix(site.address), {"question": "2", "outcome": "left"}),
    ]:
        inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
        forged = f'<form method="post" action="{site.address}{path}">{inputs}<button>win a prize</button></form>'
        victim.route(ELSEWHERE, partial(fulfil, body=forged))
        victim.goto(ELSEWHERE)
        with victim.expect_response(lambda response: response.request.method == "POST") as answered:
            victim.get_by_role("button", name="win a prize").click()
        assert answered.value.status == 403
        victim.get_by_text("another site").wait_for()
        victim.unroute(ELSEWHERE)
    with site.poll() as poll:
        assert not poll.ended
        assert "forged" not in [site.title(item) for item in poll.items]
        assert votes_of(poll, who) == []


# --- how they look ---


def check_looks(page: Page) -> None:
    """In the light and in the dark, on a small telephone and on a desk."""
    page.evaluate("document.querySelectorAll('details').forEach(folded => { folded.open = true; })")
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 640})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            check_layout(page)
            check_contrast(page)


def test_pages_fit_a_phone_and_can_be_read(site, voter, organiser) -> None:
    page, _ = voter
    seen = ""
    while not ("W" * 200 in seen and "long long" in seen):
        shown = " ".join(offered(page))
        seen += shown
        if "W" * 200 in shown or "long long" in shown:
            check_looks(page)
        press(page, "tie")
    check_looks(page)
    check_looks(organiser)
    for path in ("/results", "/nowhere", "/vote?note=again"):
        page.goto(f"{site.address}{path}")
        check_looks(page)
