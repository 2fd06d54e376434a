"""Figures this project states about itself, made by programs anyone can run; each run is one JSON line with machine and commit."""
