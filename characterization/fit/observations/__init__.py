"""From checked rows to voltage histories with outcomes, what every likelihood takes."""
