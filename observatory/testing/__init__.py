"""Test kit, shipped to users and used by our own tests."""
