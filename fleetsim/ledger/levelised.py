"""Levelised prices: what hardware costs per GPU-hour when capital has a price."""

from fleetsim.timebase import YEAR_H


def capital_recovery_factor(rate_frac_per_year: float, years: float) -> float:
    """w (1 + w)^n / ((1 + w)^n - 1): the level yearly payment that repays 1 over n years.

    1/n without interest.
    """
    if rate_frac_per_year == 0:
        return 1 / years
    grown: float = (1 + rate_frac_per_year) ** years
    return float(rate_frac_per_year * grown / (grown - 1))


def levelised_usd_per_gpu_hour(*, capex_usd: float, residual_usd: float, years: float, wacc_frac: float,
                               kw: float, pue: float, usd_per_kwh: float, load_frac: float,
                               colocation_usd_per_kw_month: float, opex_frac_per_year: float) -> float:
    """Price per available GPU-hour that pays for hardware and capital.

    Divided by the utilisation it is the price of a used one.

    [(capex - resid / (1+w)^n) CRF + kW PUE 8760 usd_per_kwh load + 12 kW colocation + opex capex] / 8760.
    """
    left: float = residual_usd / (1 + wacc_frac) ** years
    capital = (capex_usd - left) * capital_recovery_factor(wacc_frac, years)
    power = kw * pue * YEAR_H * usd_per_kwh * load_frac
    return (capital + power + 12 * kw * colocation_usd_per_kw_month + opex_frac_per_year * capex_usd) / YEAR_H
