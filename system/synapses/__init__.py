"""Networks trained on limited memristive synapses: the only weights are conductances.

``crossbars`` is what holds them, ``pulses`` and ``coincidence`` the two stochastic updates,
``learning`` the epochs, ``corruption`` and ``evaluate`` inference on spoilt images, ``stage`` and
``cli`` the command that writes synapses.nc and conductances.npz.
"""
