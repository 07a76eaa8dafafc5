"""Tidy tables of the kinds that people bring, made up."""

import numpy as np
import pandas as pd


def hourly(rows: int = 1000) -> pd.DataFrame:
    """Regression: a load that follows hour and temperature."""
    chance = np.random.default_rng(1)
    when = pd.date_range("2024-01-01", periods=rows, freq="h")
    warmth = 8 + 6 * np.sin(np.arange(rows) / 200) + chance.normal(size=rows)
    load = 50 + 10 * np.sin(when.hour / 24 * 2 * np.pi) - warmth + chance.normal(size=rows)
    return pd.DataFrame({"when": when, "temperature": warmth, "load": load})


def churn(rows: int = 20_000) -> pd.DataFrame:
    """Two classes as texts, dates without a clock, half a year."""
    chance = np.random.default_rng(2)
    days = pd.to_timedelta(np.sort(chance.integers(0, 182, rows)), unit="D")
    tenure = chance.gamma(2, 12, rows).round(1)
    leaves = chance.random(rows) < 1 / (1 + np.exp(tenure / 10))
    return pd.DataFrame(
        {
            "day": (pd.Timestamp("2023-03-01") + days).strftime("%Y-%m-%d"),
            "tenure": tenure,
            "plan": chance.choice(["basic", "plus", "pro"], rows),
            "autopay": chance.random(rows) < 0.4,
            "left": np.where(leaves, "yes", "no"),
        }
    )


def species(rows: int = 5000) -> pd.DataFrame:
    """Five classes as codes, times as epoch milliseconds."""
    chance = np.random.default_rng(3)
    kind = chance.integers(1, 6, rows)
    start = pd.Timestamp("2022-05-01").value // 1_000_000
    return pd.DataFrame(
        {
            "ts": start + np.sort(chance.integers(0, 90 * 86_400_000, rows)),
            "width": kind + chance.normal(scale=2, size=rows),
            "length": chance.normal(loc=20, scale=2, size=rows),
            "kind": kind,
        }
    )


def wide(rows: int = 4000) -> pd.DataFrame:
    """60 columns, of which many are of no use."""
    chance = np.random.default_rng(4)
    when = pd.date_range("2021-01-01", periods=rows, freq="45min", tz="America/New_York")
    table = {"at": when} | {f"x{i}": chance.normal(size=rows) for i in range(40)}
    price = np.exp(table["x0"] + chance.normal(size=rows))
    return pd.DataFrame(
        table
        | {
            "order_id": chance.permutation(rows),
            "customerId": chance.integers(0, 900, rows),
            "uuid": [f"{number:032x}" for number in chance.permutation(rows)],
            "row": np.arange(rows),
            "constant": 1,
            "empty": None,
            "rare": np.where(chance.random(rows) < 0.2, 1.0, np.nan),
            "comment": [f"text {number} of a person" for number in chance.integers(0, 3000, rows)],
            "price_net": price / 1.2,
            "price_band": pd.cut(price, 4000).codes,
            "shipped": when + pd.Timedelta(days=2),
            "shipped_text": (when + pd.Timedelta(days=2)).strftime("%Y-%m-%d %H:%M"),
            "tags": [["a"]] * rows,
            "profit (€)": chance.normal(size=rows),
            "Straße": chance.choice(["a", "b"], rows),
            "items": chance.integers(1, 9, rows),
            "share": chance.random(rows),
            "region": chance.choice(["north", "south"], rows),
            "price": price,
        }
    )
