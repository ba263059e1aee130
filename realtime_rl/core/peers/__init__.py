"""Who else is there: whose word counts, and who has fallen silent or died."""
