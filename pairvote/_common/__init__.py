"""What every room uses: messages, checks, labels, outcomes, frames, tables, threads."""
