-- Estimates of sums over all traces from those that are kept (query/estimate.py): `x` is what a trace adds, `w` how many it stands for.
CREATE OR REPLACE TEMP MACRO estimated(x, w) AS coalesce(sum(w * x), 0)::DOUBLE;
CREATE OR REPLACE TEMP MACRO variance_of_estimate(x, w) AS coalesce(sum(w * (w - 1) * x * x), 0)::DOUBLE;
