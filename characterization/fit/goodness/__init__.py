"""Does a fitted law describe the data? Tests and the points that plots show."""
