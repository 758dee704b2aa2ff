"""ngspice as a child: how it is found, fed, killed, rescued, counted and remembered.

``circuits.simulator`` is the door; nothing else outside this folder talks to ngspice.
"""
