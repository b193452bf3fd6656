"""HTTP: health, metrics, and later the API and the page."""
