"""From pulse data, resistance after each programming pulse, to a synapse.json.

``trains`` is the table as pairs of states, ``estimate`` the end states and the steps with their
standard errors, ``stage`` and ``cli`` the command.
"""
