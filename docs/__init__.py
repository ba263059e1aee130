"""The pages, and what makes the parts of them that come from code and data."""
