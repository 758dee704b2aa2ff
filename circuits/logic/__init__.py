"""Static CMOS logic: gates at transistor level and their testbenches."""
