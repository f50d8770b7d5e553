"""Golden figures to the cent: the $5B lease as it is delivered, and owned hardware, formula against books.

The spend plan's hour stands in test_naive_spend.py, the inference fleet's year in test_rating.py.
"""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from metered import billed, delivery, effective, gpu_s, hours, rows, usage, utc
from naive import months_after

from fleetsim.ledger.contracts import Lease, Owned
from fleetsim.ledger.levelised import capital_recovery_factor, levelised_usd_per_gpu_hour
from fleetsim.ledger.rating import rate
from fleetsim.ledger.spans import Span, derived_price
from fleetsim.timebase import epoch_us

MONTH_S = 730 * 3_600
CASH = 5_000_000_000_000_000
SECOND_YEAR = utc(2025, 1, 1)
"""Two years from here have 17,520 h, 24 months of 730 h."""


def test_a_lease_of_five_billion_that_is_there_from_day_one() -> None:
    lease = Lease(fleet="azure", total_usd=Decimal("5e9"), term_months=24)
    hour_us = hours(SECOND_YEAR, utc(2027, 1, 1))
    charges = rate({"lease": lease}, [usage(hour_us, delivery(SECOND_YEAR, 100_000))])
    assert gpu_s(charges, "used") == 1_752_000_000 * 3_600
    assert billed(charges) == effective(charges) == CASH
    assert derived_price([Span(100_000, 0, 24 * MONTH_S, CASH)]).first == Decimal("2.853881")
    # The price shows in what a GPU-hour would cost without the commitment, to a millionth of a dollar.
    assert int(charges.list_micro_usd.sum()) == round(Fraction("2.853881") * 1_752_000_000 * 10**6)


def test_the_same_cash_for_gpus_that_come_month_by_month() -> None:
    """In month j of 0..23 there are 100,000 j / 23 GPUs: half the GPU-hours, twice the price.

    Each tranche is leased for the 24 months that follow its acceptance, and all of them end together.
    """
    there = [round(100_000 * j / 23) for j in range(24)]
    more = [after - before for before, after in zip([0, *there[:-1]], there, strict=True)]
    starts = [SECOND_YEAR + timedelta(hours=730 * j) for j in range(24)]
    tranches = [delivery(start, gpus) for start, gpus in zip(starts, more, strict=True) if gpus]
    hour_us = hours(SECOND_YEAR, utc(2027, 1, 1))
    gpu_hours = sum(730 * gpus for gpus in there)
    # The total is for 24 months of every tranche; the ramp buys the part of it before the common end.
    whole = [Fraction(gpus * (epoch_us(months_after(start, 24)) - epoch_us(start)), 3_600 * 10**6)
             for start, gpus in zip(starts, more, strict=True)]  # fmt: skip
    total = round(Fraction(CASH) * sum(whole) / gpu_hours)
    lease = Lease(
        fleet="azure", total_usd=Decimal(total).scaleb(-6), term_months=24, fixed_end=utc(2027, 1, 1)
    )
    charges = rate({"lease": lease}, [usage(hour_us, *tranches)])
    assert gpu_s(charges, "used") == gpu_hours * 3_600
    assert gpu_hours / 1e9 == pytest.approx(0.876, rel=1e-7)
    assert billed(charges) == effective(charges)
    assert round(billed(charges), -4) == CASH  # to the cent
    assert round(billed(charges) / 1e6 / gpu_hours, 4) == 5.7078


HARDWARE = {
    "capex_usd": 17_500.0,
    "residual_usd": 2_000.0,
    "years": 4.0,
    "wacc_frac": 0.10,
    "kw": 0.8125,
    "pue": 1.3,
    "usd_per_kwh": 0.07,
    "load_frac": 0.3 + 0.7 * 0.8,
    "colocation_usd_per_kw_month": 150.0,
    "opex_frac_per_year": 0.03,
}


def test_owned_hardware_by_the_formula() -> None:
    assert round(capital_recovery_factor(0.10, 4), 5) == 0.31547
    assert capital_recovery_factor(0.0, 4) == 0.25
    available = levelised_usd_per_gpu_hour(**HARDWARE)
    assert round(available * 8_760, 2) == 7_634.31
    assert round(available, 4) == 0.8715
    assert round(available / 0.8, 4) == 1.0894


def test_the_books_of_owned_hardware_are_the_formula_but_for_the_cost_of_capital() -> None:
    """Power, colocation and spares to the cent; capital is depreciation and a figure of its own."""
    owned = Owned(
        fleet="azure",
        capex_usd_per_gpu=Decimal(17_500),
        residual_usd_per_gpu=Decimal(2_000),
        life_months=48,
        usd_per_kwh=Decimal("0.07"),
        kw_per_gpu=Decimal("0.8125"),
        colocation_usd_per_kw_month=Decimal(150),
        opex_frac_per_year=Decimal("0.03"),
        wacc_frac_per_year=Decimal("0.10"),
    )
    hour_us = hours(SECOND_YEAR, utc(2029, 1, 1))
    wh = round(1_000 * 812.5 * 1.3 * 0.86)
    metered = usage(hour_us, delivery(SECOND_YEAR, 1_000), energy_wh=np.full_like(hour_us, wh))
    charges = rate({"own": owned}, [metered])
    first = rows(charges)
    year = {
        clause: sum(row[9] for row in first if row[4] == clause and row[0] < hour_us[8_760]) / 1e9
        for clause in ("power", "colocation", "maintenance", "depreciation")
    }
    assert round(year["power"], 2) == 557.02
    assert round(year["colocation"], 2) == 1_462.50
    assert round(year["maintenance"], 2) == 525.00
    assert year["depreciation"] == pytest.approx(15_500 * 365 / 1_461, rel=1e-9)
    assert effective(charges, "depreciation") == 15_500 * 1_000 * 1_000_000
    assert billed(charges, "capex") == (17_500 - 2_000) * 1_000 * 1_000_000
    assert billed(charges) == effective(charges)
    # 5,089.80 of capital are 3,875 of depreciation in a mean year and 1,214.80 for the money.
    capital = 15_500 / 4 + owned.capital_charge_usd_per_gpu_hour * 8_760
    assert round(capital, 2) == 5_089.80
    assert round(capital + year["power"] + year["colocation"] + year["maintenance"], 2) == 7_634.31
