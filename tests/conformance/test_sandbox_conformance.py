from evolve.testing.sandbox_conformance import SandboxConformance
from sandbox.process import ProcessSandbox


class TestProcessSandbox(SandboxConformance):
    @classmethod
    def make(cls) -> ProcessSandbox:
        return ProcessSandbox()
