"""What a digital flow takes: Liberty, Verilog, subcircuits."""
