"""What a run was like: its records counted, in words for the monitor, in numbers for the report."""
