"""The load generator: payloads prebuilt in Python, sent by a small C program that patches ids and times in place."""
