"""How untrusted programs run: the isolated Python process and the interpreter of the symbolic language."""
