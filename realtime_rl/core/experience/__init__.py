"""What a policy sees and what a learner is given: stacks, histories, transitions."""
