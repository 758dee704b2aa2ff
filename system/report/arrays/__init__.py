"""The report of networks on device arrays: of synapses.nc and binarized.nc beside cells.nc.

``case`` reads and counts, ``accuracy`` and ``wear`` make their parts of report.json, ``content``
all of it, ``sentences`` what it says in words, ``tables``, ``page`` and ``markdown`` what people
read; ``stage`` joins them.
"""
