"""Everything a person looks at that needs a window. Imports no torch."""
