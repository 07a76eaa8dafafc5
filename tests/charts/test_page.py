"""The page and the terminal's view: self-contained, escaped, small, and right about shares."""

import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from rich.console import Console

from trimtab.charts.comparison_view import build_comparison_view
from trimtab.charts.finding_view import build_finding_view
from trimtab.charts.page import render_page, write_page
from trimtab.charts.plots import Bars, Histogram, build_plot
from trimtab.charts.terminal import print_view
from trimtab.charts.views import View
from trimtab.contracts.drift import DriftFinding, FeatureKind, QualityFault, Severity, Window
from trimtab.detection.drift.column_drift import measure_feature_drift
from trimtab.detection.drift.table_comparison import compare_profiles
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.group_counts import profile_categories, profile_numbers
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile

ROWS = 1000
DAY = Window(
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1),
    rows=ROWS,
)

Numbers = npt.NDArray[np.float64]


class Tags(HTMLParser):
    """Remembers the tags of a page, and whether each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def numbers(
    values: Numbers, *, name: str = "x", like: ColumnProfile | None = None
) -> ColumnProfile:
    column = Column(name=name, kind=FeatureKind.NUMERIC)
    return profile_numbers(values, column, rows=len(values), like=like)


def words(
    tally: Mapping[str, int], *, name: str = "x", like: ColumnProfile | None = None
) -> ColumnProfile:
    column = Column(name=name, kind=FeatureKind.CATEGORICAL)
    return profile_categories(tally, column, rows=sum(tally.values()), like=like)


def window(*columns: ColumnProfile) -> WindowProfile:
    return WindowProfile(model="m", window=DAY, columns=columns)


def named(profile: ColumnProfile, name: str) -> ColumnProfile:
    return profile.model_copy(update={"column": Column(name=name, kind=profile.column.kind)})


def two_windows(
    count: int, *, shift: float, name: str = "x"
) -> tuple[WindowProfile, WindowProfile]:
    random = np.random.default_rng(0)
    first = numbers(random.normal(size=ROWS))
    then = numbers(random.normal(shift, size=ROWS), like=first)
    before, now = (
        [named(profile, f"{name}{place}") for place in range(count)] for profile in (first, then)
    )
    return window(*before), window(*now)


def view(profiles: tuple[WindowProfile, WindowProfile]) -> View:
    return build_comparison_view(compare_profiles(*profiles))


def test_the_page_is_whole_and_needs_nothing_from_anywhere() -> None:
    profiles = two_windows(3, shift=1.0)

    text = render_page(view(profiles), profiles=profiles)

    tags = Tags()
    tags.feed(text)
    assert not tags.open
    assert {"script", "link", "img", "iframe"}.isdisjoint(tag for tag, _ in tags.seen)
    assert not [
        each for _, each in tags.seen if "src" in each or "http" in (each.get("href") or "")
    ]
    assert "prefers-color-scheme: dark" in text
    assert text.count("<svg") == 3


def test_links_lead_to_the_plots() -> None:
    profiles = two_windows(3, shift=1.0)

    text = render_page(view(profiles), profiles=profiles)

    targets = re.findall(r'href="#(\w+)"', text)
    assert targets == ["c0", "c1", "c2"]
    assert all(f'id="{target}"' in text for target in targets)


def test_names_are_data() -> None:
    profiles = two_windows(1, shift=1.0, name="</style><script>alert('x')</script>&amp;")

    text = render_page(view(profiles), profiles=profiles)

    assert "<script>" not in text
    assert "&lt;/style&gt;&lt;script&gt;" in text
    assert "&amp;amp;" in text


def test_twenty_columns_make_a_small_page_and_a_thousand_no_huge_one() -> None:
    narrow, wide = two_windows(20, shift=1.0), two_windows(1000, shift=0.0)

    assert len(render_page(view(narrow), profiles=narrow)) < 100_000
    text = render_page(view(wide), profiles=wide)
    assert len(text) < 1_000_000
    assert text.count("<details") == 40
    assert "The worst 40 of 1000 columns are drawn." in text


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    profiles = two_windows(1, shift=0.0)

    write_page(view(profiles), tmp_path / "page.html", profiles=profiles)

    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(FileNotFoundError):
        write_page(view(profiles), tmp_path / "missing" / "page.html", profiles=profiles)


def test_a_finding_of_a_model_is_drawn_like_a_comparison() -> None:
    profiles = two_windows(2, shift=1.0)
    fault = QualityFault(kind="nulls", column="x0", detail="all gone", fraction=1.0, corrupt=True)
    finding = DriftFinding(
        model="parking", reference=DAY, current=DAY, severity=Severity.HIGH,
        features=measure_feature_drift(*profiles), quality=(fault,),
    )  # fmt: skip
    console = Console(width=120, file=io.StringIO(), record=True)

    text = render_page(build_finding_view(finding), profiles=profiles)
    print_view(build_finding_view(finding), console)

    assert "<title>parking: corrupt</title>" in text
    assert text.count("<svg") == 2
    assert "all gone" in console.export_text(clear=False)
    assert "x1" in console.export_text()


def test_a_histogram_holds_the_shares_of_the_rows() -> None:
    random = np.random.default_rng(1)
    values = random.normal(size=20_000)
    before = numbers(values)
    plot = build_plot(before, numbers(values + 3.0, like=before))

    assert isinstance(plot, Histogram)
    cells = np.linspace(plot.low, plot.high, len(plot.reference) + 1)
    exact = np.histogram(values, cells)[0] / len(values)
    assert np.abs(exact - plot.reference).max() < 0.005
    assert sum(plot.current) + plot.beyond[1] == pytest.approx(1.0)
    assert max(plot.beyond) < 0.02


def test_a_column_of_few_values_is_drawn_value_by_value() -> None:
    before = numbers(np.repeat([0.0, 1.0, 2.0], [50, 30, 20]))
    plot = build_plot(
        before, numbers(np.repeat([0.0, 1.0, 2.0, 3.0], [20, 30, 40, 10]), like=before)
    )

    assert isinstance(plot, Bars)
    assert [(round(a, 2), round(b, 2)) for _, a, b in plot.bars] == [
        (0.5, 0.2), (0.3, 0.3), (0.2, 0.4), (0.0, 0.1),
    ]  # fmt: skip
    assert [name for name, *_ in plot.bars][:3] == ["0", "1", "2"]


def test_rare_categories_are_drawn_as_other() -> None:
    before = words({f"c{place}": 100 - place for place in range(40)})
    plot = build_plot(before, words({"c0": 50, "new": 50}, like=before))

    assert isinstance(plot, Bars)
    assert len(plot.bars) == 13
    assert plot.bars[0] == ("c0", 100 / 3220, 0.5)
    assert plot.bars[-1][0] == "(other)"
    assert plot.bars[-1][2] == 0.5


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_terminals_view_fits(width: int) -> None:
    profiles = two_windows(60, shift=1.0, name="a rather long name of a column ")
    console = Console(width=width, file=io.StringIO(), record=True)

    print_view(view(profiles), console)

    text = console.export_text()
    assert max(map(len, text.splitlines())) <= width
    assert "10 more columns, 10 of them drifted" in text
