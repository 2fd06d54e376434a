"""The truth on disk: manifest, segments, and the engine that reads them."""
