"""Where takes come from: the benchmarks, motion capture, and the synthetic set."""
