"""The process sandbox keeps its contract at every level that this machine reaches."""

import pytest

from evolve.testing.sandbox_conformance import SandboxConformance
from sandbox.layers import Level
from sandbox.process import ProcessSandbox
from tests.sandboxes import sandbox_at


@pytest.mark.xdist_group("conformance-ProcessSandbox")
class TestProcessSandbox(SandboxConformance):
    @classmethod
    def make(cls) -> ProcessSandbox:
        return ProcessSandbox()


@pytest.mark.xdist_group("conformance-StrongSandbox")
class TestStrongSandbox(SandboxConformance):
    @classmethod
    def make(cls) -> ProcessSandbox:
        return sandbox_at(Level.STRONG)


@pytest.mark.xdist_group("conformance-SandboxThatOpensNoFiles")
class TestSandboxThatOpensNoFiles(SandboxConformance):
    @classmethod
    def make(cls) -> ProcessSandbox:
        return sandbox_at(Level.NOOPEN)


@pytest.mark.xdist_group("conformance-WeakSandbox")
class TestWeakSandbox(SandboxConformance):
    @classmethod
    def make(cls) -> ProcessSandbox:
        return sandbox_at(Level.WEAK)
