"""Background work on segments: plan looks, run acts, the runner publishes."""
