"""A run as one self-contained HTML page: no script, no network, nothing that untrusted text could start."""
