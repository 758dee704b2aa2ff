"""The fourth command: cells.nc and training.nc -> report.json, report.html and report.md.

``stage`` reads, prices and writes; ``content`` makes report.json, ``page/`` the page and
``markdown`` its short form. ``chart/`` draws, ``table`` makes tables and their CSV, ``quantity``
and ``summary`` the words; ``compare`` sets two report.json side by side.
"""
