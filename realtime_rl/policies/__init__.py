"""Policies: loading, checking, running and swapping them; emulated accelerators."""
