"""A fake LLM provider on loopback that speaks the wire formats of the well-known ones and remembers exactly what it served."""
