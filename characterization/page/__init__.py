"""What the pages of both stages share: frame and style, tables, pictures, provenance."""
