"""Made-up tables of the kinds that users bring."""

import numpy as np
import pandas as pd


def make_hourly_table(rows: int = 1000) -> pd.DataFrame:
    """Return a regression: a load that depends on hour and temperature."""
    random = np.random.default_rng(1)
    when = pd.date_range("2024-01-01", periods=rows, freq="h")
    temperature = 8 + 6 * np.sin(np.arange(rows) / 200) + random.normal(size=rows)
    load = 50 + 10 * np.sin(when.hour / 24 * 2 * np.pi) - temperature + random.normal(size=rows)
    return pd.DataFrame({"when": when, "temperature": temperature, "load": load})


def make_churn_table(rows: int = 20_000) -> pd.DataFrame:
    """Return half a year of two classes as texts, with dates without a time of day."""
    random = np.random.default_rng(2)
    days = pd.to_timedelta(np.sort(random.integers(0, 182, rows)), unit="D")
    tenure = random.gamma(2, 12, rows).round(1)
    leaves = random.random(rows) < 1 / (1 + np.exp(tenure / 10))
    return pd.DataFrame(
        {
            "day": (pd.Timestamp("2023-03-01") + days).strftime("%Y-%m-%d"),
            "tenure": tenure,
            "plan": random.choice(["basic", "plus", "pro"], rows),
            "autopay": random.random(rows) < 0.4,
            "left": np.where(leaves, "yes", "no"),
        }
    )


def make_species_table(rows: int = 5000) -> pd.DataFrame:
    """Return five classes as codes, with times as epoch milliseconds."""
    random = np.random.default_rng(3)
    kind = random.integers(1, 6, rows)
    start = pd.Timestamp("2022-05-01").value // 1_000_000
    return pd.DataFrame(
        {
            "ts": start + np.sort(random.integers(0, 90 * 86_400_000, rows)),
            "width": kind + random.normal(scale=2, size=rows),
            "length": random.normal(loc=20, scale=2, size=rows),
            "kind": kind,
        }
    )


def make_wide_table(rows: int = 4000) -> pd.DataFrame:
    """Return a table of 60 columns, many of which are of no use."""
    random = np.random.default_rng(4)
    when = pd.date_range("2021-01-01", periods=rows, freq="45min", tz="America/New_York")
    table = {"at": when} | {f"x{i}": random.normal(size=rows) for i in range(40)}
    price = np.exp(table["x0"] + random.normal(size=rows))
    return pd.DataFrame(
        table
        | {
            "order_id": random.permutation(rows),
            "customerId": random.integers(0, 900, rows),
            "uuid": [f"{number:032x}" for number in random.permutation(rows)],
            "row": np.arange(rows),
            "constant": 1,
            "empty": None,
            "rare": np.where(random.random(rows) < 0.2, 1.0, np.nan),
            "comment": [f"text {number} of a person" for number in random.integers(0, 3000, rows)],
            "price_net": price / 1.2,
            "price_band": pd.cut(price, 4000).codes,
            "shipped": when + pd.Timedelta(days=2),
            "shipped_text": (when + pd.Timedelta(days=2)).strftime("%Y-%m-%d %H:%M"),
            "tags": [["a"]] * rows,
            "profit (€)": random.normal(size=rows),
            "Straße": random.choice(["a", "b"], rows),
            "items": random.integers(1, 9, rows),
            "share": random.random(rows),
            "region": random.choice(["north", "south"], rows),
            "price": price,
        }
    )
