"""Bill: metered hourly usage in, charges out. Pure functions: a run can be rated under other contracts."""
