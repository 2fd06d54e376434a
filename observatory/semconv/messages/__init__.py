"""Messages of one span, in whatever form they were sent, as the current GenAI message JSON."""
