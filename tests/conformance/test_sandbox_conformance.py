"""The process sandbox keeps its contract at every level that this machine reaches."""

from evolve.testing.sandbox_conformance import SandboxConformance
from sandbox.layers import Level
from sandbox.process import ProcessSandbox
from tests.sandboxes import sandbox_at


class TestProcessSandbox(SandboxConformance):
    @classmethod
    def make(cls) -> ProcessSandbox:
        return ProcessSandbox()


class TestStrongSandbox(SandboxConformance):
    @classmethod
    def make(cls) -> ProcessSandbox:
        return sandbox_at(Level.STRONG)


class TestSandboxThatOpensNoFiles(SandboxConformance):
    @classmethod
    def make(cls) -> ProcessSandbox:
        return sandbox_at(Level.NOOPEN)


class TestWeakSandbox(SandboxConformance):
    @classmethod
    def make(cls) -> ProcessSandbox:
        return sandbox_at(Level.WEAK)
