"""Where the log of a poll is kept: what every store does, and the stores that come with pairvote."""
