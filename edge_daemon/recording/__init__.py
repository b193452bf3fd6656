"""What is kept of the video."""
