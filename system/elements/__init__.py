"""Elements of stochastic arithmetic on packed streams, each with its exact moments."""
