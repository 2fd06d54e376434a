"""What flows: signals, their columns, batches, time."""
