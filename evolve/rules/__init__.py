"""Search over update rules: moves, abstract execution, engines, bursts."""
