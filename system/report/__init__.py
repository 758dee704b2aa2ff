"""The fourth command: cells.nc and training.nc -> report.json and a self-contained report.html.

``stage`` reads, prices and writes; ``content`` makes report.json, ``page`` and ``template.html``
the page, ``figures`` its drawings.
"""
