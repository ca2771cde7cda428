"""The dashboard's own pages."""
