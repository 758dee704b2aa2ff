"""The pictures of a fit, one kind of data a file: what was observed, and the law with its band."""
