"""Which libraries are known, which package instruments each best, and when it is switched on: as the library is imported, not before."""
