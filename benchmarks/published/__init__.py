"""Other people's measurements, and what the planner predicts for them."""
