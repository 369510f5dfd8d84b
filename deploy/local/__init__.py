"""The whole platform on one machine: `make run`, `make test` and what stands behind them."""
