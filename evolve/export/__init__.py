"""What leaves a run: tables for other programs, discoveries as code."""
