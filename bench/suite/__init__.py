"""The benchmark suite behind scripts/bench; README.md of the folder above says how it works."""
